//! Parts that are sent before they are hashed, and then compared with the stored parts (`crc64nvme-after`).

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme, ObjectChecksum, PartChecksum};
use directput::engine::{Call, Event, Put, Record};
use directput::plan::Part;
use directput::protocol::{ErrorCode, PartsListed, SignParts, StoredPart, UploadCompleted, UploadCreated};

use crate::bench::{Bench, MIB, created, signed, stored};

const TAG: &str = "0123456789abcdef0123456789abcdef";

fn checksum(part: Part) -> PartChecksum {
    Crc64Nvme::of(&part.offset.to_le_bytes()).into()
}

fn other() -> Option<String> {
    Some(Crc64Nvme::of(b"other bytes").to_text())
}

fn hash(bench: &mut Bench, part: Part) {
    bench.send(Event::PartHashed { part, checksum: checksum(part) });
}

fn hash_all(bench: &mut Bench) {
    loop {
        let parts = bench.hashes();
        if parts.is_empty() {
            return;
        }
        parts.into_iter().for_each(|part| hash(bench, part));
    }
}

/// Answers a PUT as S3 does after it has stored the part's bytes.
fn store(bench: &mut Bench, put: &Put) {
    bench.answer_put(put, stored(TAG, Some(checksum(put.part).to_text())));
}

/// Returns an upload whose first parts are being sent.
fn sending(size: u64) -> (Bench, Vec<Put>) {
    let mut bench = Bench::by(ChecksumAlgorithm::Crc64nvmeAfter, size);
    assert!(bench.hashes().is_empty(), "it opens the upload before it reads the file");
    let request = bench.creates().remove(0);
    assert!(request.parts.iter().all(|part| part.checksum.is_none()));
    let parts = signed(&SignParts { parts: request.parts, bits_per_second: None, lane: 0 }).parts;
    bench.send(Event::Created(UploadCreated { parts, max_parts_per_request: 128, ..created(bench.plan()) }));
    let puts = bench.puts();
    (bench, puts)
}

/// Answers the completion as S3 does.
fn complete(bench: &mut Bench, size: u64) {
    let request = bench.completes().remove(0);
    let of_parts: Vec<_> = bench.plan().parts().map(|part| (Some(checksum(part)), part.length)).collect();
    assert_eq!(request.checksum, ObjectChecksum::of(ChecksumAlgorithm::Crc64nvme, of_parts));
    assert!(request.checksum.is_some() && request.parts.iter().all(|part| part.checksum.is_some()));
    let checksum = request.checksum.map(|checksum| checksum.to_text());
    let (key, etag) = ("uploads/key".to_owned(), "whole".to_owned());
    bench.send(Event::Completed(UploadCompleted { key, etag, checksum, size }));
    assert!(bench.outcome().expect("an end").is_ok());
}

#[test]
fn parts_are_hashed_while_they_are_sent() {
    let (mut bench, puts) = sending(20 * MIB);
    assert_eq!(puts.len(), 3);
    assert!(puts.iter().all(|put| put.checksum_header() == Some("x-amz-checksum-crc64nvme")));
    let hashes = bench.hashes();
    assert_eq!(hashes.iter().map(|part| part.number.get()).collect::<Vec<_>>(), [1, 2], "by two hashers");
    hash(&mut bench, hashes[0]);
    hash(&mut bench, hashes[1]);
    for put in &puts {
        store(&mut bench, put);
    }
    assert!(bench.completes().is_empty(), "the third part is not hashed yet");
    hash_all(&mut bench);
    complete(&mut bench, 20 * MIB);
    assert!(bench.retries().is_empty());
}

#[test]
fn s3_s_checksum_is_compared_whether_it_comes_before_or_after_the_hash() {
    for hash_comes_first in [false, true] {
        let (mut bench, puts) = sending(20 * MIB);
        if hash_comes_first {
            hash_all(&mut bench);
        }
        bench.answer_put(&puts[0], stored(TAG, other()));
        store(&mut bench, &puts[1]);
        store(&mut bench, &puts[2]);
        if !hash_comes_first {
            bench.wait(100);
            assert_eq!(bench.reports().last().expect("a report").confirmed_parts, 3, "until it is hashed");
            hash_all(&mut bench);
        }
        let retries = bench.retries();
        assert_eq!(retries.len(), 1);
        assert_eq!((retries[0].code, retries[0].part), (ErrorCode::Integrity, Some(puts[0].part.number)));
        assert!(bench.completes().is_empty());
        hash_all(&mut bench);
        let request = bench.signs().remove(0);
        assert_eq!(request.parts[0].checksum, Some(checksum(puts[0].part)), "the second PUT is bound to the bytes");
        bench.send(Event::Signed(signed(&request)));
        let again = bench.puts();
        assert_eq!(again.len(), 1);
        store(&mut bench, &again[0]);
        complete(&mut bench, 20 * MIB);
    }
}

#[test]
fn a_part_that_s3_keeps_storing_differently_ends_the_upload() {
    let (mut bench, puts) = sending(20 * MIB);
    hash_all(&mut bench);
    let mut put = puts[0].clone();
    for attempt in 1..=4 {
        bench.answer_put(&put, stored(TAG, other()));
        if attempt < 4 {
            hash_all(&mut bench);
            bench.sign_all();
            put = bench.puts().remove(0);
        }
    }
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Integrity));
}

#[test]
fn a_file_that_has_changed_between_hash_and_second_hash_ends_the_upload() {
    let (mut bench, puts) = sending(20 * MIB);
    hash_all(&mut bench);
    bench.answer_put(&puts[0], stored(TAG, other()));
    let part = bench.hashes().remove(0);
    bench.send(Event::PartHashed { part, checksum: Crc64Nvme::of(b"changed").into() });
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::FileChanged));
}

#[test]
fn if_cors_hides_the_checksum_s3_compares_at_the_completion_and_the_list_names_the_part() {
    let (mut bench, puts) = sending(20 * MIB);
    for put in &puts {
        bench.answer_put(put, stored(TAG, None));
    }
    hash_all(&mut bench);
    assert_eq!(bench.completes().len(), 1);
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    assert_eq!(bench.lists(), [None]);
    let listed = |part: Part| StoredPart {
        number: part.number,
        size: part.length,
        etag: TAG.to_owned(),
        checksum: if part.number.get() == 2 { other() } else { Some(checksum(part).to_text()) },
    };
    let parts = bench.plan().parts().map(listed).collect();
    bench.send(Event::Listed(PartsListed { parts, next: None }));
    bench.sign_all();
    let again = bench.puts();
    assert_eq!(again.iter().map(|put| put.part.number.get()).collect::<Vec<_>>(), [2]);
    store(&mut bench, &again[0]);
    complete(&mut bench, 20 * MIB);
}

#[test]
fn a_file_of_one_part_is_hashed_before_it_is_sent() {
    let mut bench = Bench::by(ChecksumAlgorithm::Crc64nvmeAfter, MIB);
    let part = bench.hashes().remove(0);
    assert!(bench.creates().is_empty());
    hash(&mut bench, part);
    assert_eq!(bench.creates().remove(0).parts[0].checksum, Some(checksum(part)));
}

#[test]
fn a_part_that_cannot_be_read_while_it_is_sent_is_read_again() {
    let (mut bench, puts) = sending(20 * MIB);
    let [first, second] = bench.hashes()[..] else { panic!("two are read at once") };
    bench.send(Event::HashFailed { part: first, failure: ErrorCode::ReadTimeout.into() });
    puts.iter().for_each(|put| store(&mut bench, put));
    hash(&mut bench, second);
    hash_all(&mut bench);
    complete(&mut bench, 20 * MIB);
}

#[test]
fn a_part_of_an_earlier_session_that_differs_is_sent_again() {
    let mut first = Bench::keeping(20 * MIB);
    first.create();
    let record = first.records().pop().flatten().expect("a record");
    let mut bench = Bench::restored(20 * MIB, Record { algorithm: ChecksumAlgorithm::Crc64nvmeAfter, ..record });
    let listed = |part: Part| StoredPart {
        number: part.number,
        size: part.length,
        etag: TAG.to_owned(),
        checksum: if part.number.get() == 1 { other() } else { Some(checksum(part).to_text()) },
    };
    let parts = bench.plan().parts().take(2).map(listed).collect();
    assert_eq!(bench.lists(), [None]);
    bench.send(Event::Listed(PartsListed { parts, next: None }));
    let mut sent = Vec::new();
    for _ in 0..4 {
        hash_all(&mut bench);
        bench.sign_all();
        for put in bench.puts() {
            sent.push(put.part.number.get());
            store(&mut bench, &put);
        }
    }
    sent.sort_unstable();
    assert_eq!(sent, [1, 3]);
    complete(&mut bench, 20 * MIB);
}

/// Returns the number of API calls of an upload over a link on which each part takes `part_ms` milliseconds.
fn calls(size: u64, part_ms: u64) -> usize {
    let (mut bench, mut puts) = sending(size);
    let mut calls = 2;
    while !puts.is_empty() {
        hash_all(&mut bench);
        bench.now_ms += part_ms;
        let put = puts.remove(0);
        store(&mut bench, &put);
        for request in bench.signs() {
            calls += 1;
            bench.wait(20);
            bench.send(Event::Signed(signed(&request)));
        }
        puts.extend(bench.puts());
    }
    hash_all(&mut bench);
    complete(&mut bench, size);
    calls
}

#[test]
fn a_large_file_takes_few_calls() {
    // 1 Gbit/s and 100 Mbit/s.
    for part_ms in [70, 700] {
        assert!((3..=5).contains(&calls(256 * MIB, part_ms)), "{}", calls(256 * MIB, part_ms));
    }
    let parts = Bench::new(80_000 * MIB).plan().part_count() as usize;
    assert_eq!(parts, 10_000);
    assert!(calls(80_000 * MIB, 70) <= parts / 100, "{}", calls(80_000 * MIB, 70));
}
