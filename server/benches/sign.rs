//! Benchmarks of the Lambda's main work: signing a batch of parts, and sealing and opening the upload token.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::presigning::PresigningConfig;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use directput::checksum::{ChecksumAlgorithm, Sha256Digest};
use directput::plan::Plan;
use directput::protocol::{ContentType, FileSize};
use directput_server::s3::Target;
use directput_server::token::{NewUpload, TokenKeys};
use directput_server::{Bucket, Credentials as OwnCredentials};

const KEY: &str = "uploads/0b7a4d2e-3c9f-4f6e-9a39-6d3c1c2f4b5a.mp4";
const UPLOAD_ID: &str = "2~VXk9PWdHs8yYpQn1tTfBzJm4RcLgE7uKaD0oIxNqSbw6hCvjrZFlU3eiMGA5.TPy";
const LIFETIME: Duration = Duration::from_secs(60);

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Some("t".repeat(700)), None, "bench")
}

fn config() -> aws_sdk_s3::config::Builder {
    let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest());
    config.region(Region::new("eu-central-1")).credentials_provider(credentials())
}

fn signing(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bucket = Bucket::in_aws("bucket", "eu-central-1", &[]);
    let own = OwnCredentials {
        access_key_id: credentials().access_key_id().to_owned(),
        secret_access_key: credentials().secret_access_key().to_owned(),
        session_token: credentials().session_token().map(str::to_owned),
    };
    let plan = Plan::new(FileSize::new(1_000 * (8 << 20)).expect("in range"), 0);
    let checksum = Sha256Digest::of(b"part").into();
    let mut group = criterion.benchmark_group("sign");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1000 parts", |bencher| {
        bencher.iter(|| {
            let signing = bucket.sign(0, &own, SystemTime::now()).expect("in range");
            let target = Target::Part { key: KEY, upload_id: UPLOAD_ID };
            for part in plan.parts() {
                black_box(signing.put(target, part, Some(&checksum), LIFETIME));
            }
        });
    });
    let client = aws_sdk_s3::Client::from_conf(config().build());
    let text = checksum.to_string();
    group.sample_size(10);
    group.bench_function("1000 parts by the SDK", |bencher| {
        bencher.iter(|| {
            for part in plan.parts() {
                let request = client.upload_part().bucket("bucket").key(KEY).upload_id(UPLOAD_ID);
                let request = request.part_number(part.number.get().cast_signed()).checksum_sha256(&text);
                let request = request.content_length(part.length.cast_signed());
                let presigning = PresigningConfig::expires_in(LIFETIME).expect("in range");
                black_box(runtime.block_on(request.presigned(presigning)).expect("signed"));
            }
        });
    });
    group.finish();
}

fn token(criterion: &mut Criterion) {
    let keys = TokenKeys::new(&[7; 32], None, "bucket").expect("long enough");
    let upload = || NewUpload {
        key: KEY.to_owned(),
        upload: Some(UPLOAD_ID.to_owned()),
        size: FileSize::new(1 << 30).expect("in range"),
        part_bytes: 8 << 20,
        content_type: ContentType::unknown(),
        name: None,
        algorithm: ChecksumAlgorithm::Sha256,
        bytes: None,
        caller: Some("caller".to_owned()),
    };
    let now = SystemTime::now();
    let week = Duration::from_secs(604_800);
    criterion.bench_function("token/seal", |bencher| bencher.iter(|| keys.seal(upload(), week, now)));
    let sealed = keys.seal(upload(), week, now).expect("sealed");
    criterion.bench_function("token/open", |bencher| bencher.iter(|| keys.open(&sealed, Some("caller"), now)));
}

criterion_group!(benches, signing, token);
criterion_main!(benches);
