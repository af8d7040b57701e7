//! Benchmarks the engine: complete uploads of few parts and of many parts. A driver answers every action at once.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use directput::checksum::{Crc64Nvme, ObjectChecksum, PartChecksum, Sha256Digest};
use directput::engine::{Action, ApiCall, Config, Engine, Event, FileInfo, Now, PutAnswer};
use directput::plan::{Part, Plan, SINGLE_PUT_BYTES};
use directput::protocol::{
    CompleteUpload, ContentType, FileName, FileSize, Headers, PartToSign, PartsSigned, SignedPart, UploadCompleted,
    UploadCreated, UploadKind,
};

const MIB: u64 = 1 << 20;

/// Uploads a file of `parts` parts. Returns the number of steps that the engine took.
fn upload(parts: u32) -> u32 {
    let size = FileSize::new(u64::from(parts) * 8 * MIB).expect("in range");
    let plan = Plan::new(size, SINGLE_PUT_BYTES);
    let info = FileInfo { name: FileName::fit("a.bin"), content_type: ContentType::unknown(), size };
    let mut engine = Engine::new(Config::default(), info);
    let mut events = vec![Event::Start];
    let (mut ms, mut steps) = (0, 0);
    while let Some(event) = events.pop() {
        steps += 1;
        ms += 5;
        engine.handle(Now { ms, random: 1 << 31 }, event);
        while let Some(action) = engine.poll() {
            match action {
                Action::HashPart { part, .. } => events.insert(0, Event::PartHashed { part, checksum: checksum(part) }),
                Action::Call(ApiCall::Create(request)) => events.push(Event::Created(UploadCreated {
                    token: "token".to_owned(),
                    key: "uploads/key".to_owned(),
                    kind: UploadKind::Multipart,
                    part_size: plan.part_bytes(),
                    part_count: plan.part_count(),
                    max_parts_per_request: 100,
                    expires_in_seconds: 604_800,
                    parts: signed(&request.parts),
                    lane_count: 1,
                    max_uploads_per_request: 0,
                })),
                Action::Call(ApiCall::Sign { request, .. }) => {
                    events.push(Event::Signed(PartsSigned { parts: signed(&request.parts) }));
                }
                Action::Put(put) => {
                    let checksum = Some(checksum(put.part).to_text());
                    events.insert(0, Event::PutProgress { put: put.id, sent_bytes: put.part.length / 2 });
                    let etag = Some("\"tag\"".to_owned());
                    let answer = PutAnswer { status: 200, etag, checksum, is_empty: true, ..PutAnswer::default() };
                    events.insert(0, Event::PutDone { put: put.id, answer });
                }
                Action::Call(ApiCall::Complete { request, .. }) => events.push(completed(&request, size)),
                Action::Finished(outcome) => assert!(outcome.is_ok(), "{outcome:?}"),
                _ => {}
            }
        }
    }
    assert!(engine.is_finished());
    steps
}

fn checksum(part: Part) -> PartChecksum {
    Sha256Digest::from_bytes([part.number.get() as u8; 32]).into()
}

fn signed(parts: &[PartToSign]) -> Vec<SignedPart> {
    let sign = |part: &PartToSign| SignedPart {
        number: part.number,
        url: "https://bucket.s3.eu-central-1.amazonaws.com/uploads/key?X-Amz-Signature=0123456789abcdef".to_owned(),
        headers: Headers::default(),
        expires_in_seconds: 300,
    };
    parts.iter().map(sign).collect()
}

fn completed(request: &CompleteUpload, size: FileSize) -> Event {
    let checksum = request.checksum.as_ref().map(ObjectChecksum::to_text);
    let (key, etag) = ("uploads/key".to_owned(), "whole".to_owned());
    Event::Completed(UploadCompleted { key, etag, checksum, size: size.bytes() })
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20);
    for parts in [10, 100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(parts.into()));
        group.bench_with_input(BenchmarkId::from_parameter(parts), &parts, |bencher, &parts| {
            bencher.iter(|| upload(parts));
        });
    }
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let size = FileSize::new(5_000_000_000_000).expect("in range");
    criterion.bench_function("plan/5 TB", |bencher| {
        bencher.iter(|| Plan::new(black_box(size), SINGLE_PUT_BYTES).parts().map(|part| part.length).sum::<u64>());
    });
}

fn crc64nvme(criterion: &mut Criterion) {
    let bytes = vec![7; MIB as usize];
    let mut group = criterion.benchmark_group("checksum");
    group.throughput(Throughput::Bytes(MIB));
    group.bench_function("crc64nvme", |bencher| bencher.iter(|| Crc64Nvme::of(black_box(&bytes))));
    group.bench_function("sha256", |bencher| bencher.iter(|| Sha256Digest::of(black_box(&bytes))));
    group.finish();
}

criterion_group!(benches, engine, plan, crc64nvme);
criterion_main!(benches);
