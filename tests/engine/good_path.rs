//! Uploads without failures, from the file to the object.

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme, ObjectChecksum, PartChecksum};
use directput::engine::*;
use directput::plan::{Part, Plan};
use directput::protocol::*;

use crate::bench::{stored as answer_of_s3, *};

#[test]
fn a_small_file_is_hashed_announced_and_sent_in_one_put() {
    let mut bench = Bench::new(5 * MIB);
    let whole = bench.plan().last();
    assert_eq!(bench.hashes(), [whole]);
    assert!(bench.creates().is_empty(), "not before its digest is known");
    bench.send(Event::PartHashed { part: whole, checksum: digest(whole) });
    let parts = bench.creates().remove(0).parts;
    let whole_to_sign = PartToSign { number: whole.number, length: whole.length, checksum: Some(digest(whole)) };
    assert_eq!(parts, [whole_to_sign]);
    let reply = UploadCreated {
        parts: signed(&SignParts { parts, bits_per_second: None, lane: 0 }).parts,
        ..created(bench.plan())
    };
    bench.send(Event::Created(reply));
    let put = bench.puts().pop().expect("a PUT");
    assert_eq!(put.part, whole);
    bench.store(&put);
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.etag.as_deref(), Some("tag1"));
    assert_eq!(uploaded.checksum, Some(digest(whole).to_string()));
    assert!(bench.completes().is_empty() && bench.signs().is_empty());
}

#[test]
fn an_empty_file_is_one_empty_put() {
    let mut bench = Bench::new(0);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().pop().expect("a PUT");
    assert_eq!(put.part.length, 0);
    bench.store(&put);
    assert!(matches!(bench.outcome(), Some(Ok(Uploaded { size: 0, .. }))));
}

#[test]
fn a_large_file_is_sent_in_parts_and_completed_with_its_composite_checksum() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.store_all();
    let request = bench.completes().pop().expect("a completion");
    let numbers: Vec<u32> = request.parts.iter().map(|part| part.number.get()).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
    let expected = Some(composite(bench.plan().parts().map(digest)));
    assert_eq!(request.checksum.map(|checksum| checksum.to_string()), expected);
    bench.send(completed(&request, 100 * MIB));
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.checksum, expected);
    assert_eq!(bench.aborts(), 0);
}

#[test]
fn puts_hashes_and_calls_stay_within_their_limits() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    let mut hashed = 0;
    loop {
        let parts = bench.hashes();
        assert!(parts.len() <= 2, "two hashers");
        let Some(&part) = parts.first() else { break };
        for &part in &parts {
            hashed += 1;
            bench.send(Event::PartHashed { part, checksum: digest(part) });
        }
        assert!(part.number.get() <= 18);
    }
    assert_eq!(hashed, 17, "without the first: hashing stays three windows ahead");
    let calls = bench.signs();
    assert_eq!(calls.len(), 1, "one signing call at a time");
    bench.send(Event::Signed(signed(&calls[0])));
    bench.sign_all();
    assert_eq!(bench.puts().len(), 6, "as many as browsers open connections");
}

#[test]
fn the_servers_plan_replaces_the_assumed_one() {
    let mut bench = Bench::new(20 * MIB);
    let assumed = bench.hashes();
    for &part in &assumed {
        bench.send(Event::PartHashed { part, checksum: digest(part) });
    }
    assert_eq!(bench.creates().len(), 1);
    let late = bench.hashes();
    let plan = Plan::restore(FileSize::new(20 * MIB).expect("ok"), 5 * MIB, true).expect("sound");
    bench.send(Event::Created(created(plan)));
    bench.send(Event::PartHashed { part: late[0], checksum: digest(late[0]) });
    assert!(bench.signs().is_empty(), "a digest of other bytes is not used");
    let again = bench.hashes();
    assert_eq!(again[0].length, 5 * MIB);
    bench.send(Event::PartHashed { part: again[0], checksum: digest(again[0]) });
    assert_eq!(bench.signs()[0].parts[0].length, 5 * MIB);
}

#[test]
fn an_object_with_another_checksum_or_size_is_not_a_success() {
    for (size, checksum) in [(20 * MIB, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-3"), (1, "")] {
        let mut bench = Bench::new(20 * MIB);
        bench.create();
        bench.store_all();
        let request = bench.completes().pop().expect("a completion");
        let Event::Completed(mut reply) = completed(&request, size) else { unreachable!() };
        if !checksum.is_empty() {
            reply.checksum = Some(checksum.to_owned());
        }
        bench.send(Event::Completed(reply));
        bench.send(Event::Aborted);
        assert_eq!(bench.failed_with(), Some(ErrorCode::Integrity));
    }
}

#[test]
fn progress_never_goes_back_without_a_notice_and_ends_with_all_bytes() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    loop {
        bench.hash_and_sign();
        let puts = bench.puts();
        if puts.is_empty() {
            break;
        }
        for put in puts {
            for sent_bytes in [put.part.length / 2, put.part.length] {
                bench.now_ms += 300;
                bench.send(Event::PutProgress { put: put.id, sent_bytes });
            }
            bench.store(&put);
        }
    }
    let request = bench.completes().pop().expect("a completion");
    bench.send(completed(&request, 100 * MIB));
    let reports = bench.reports();
    assert!(reports.is_sorted_by_key(|report| report.sent_bytes));
    assert!(
        reports.is_sorted_by_key(|report| report.phase),
        "{:?}",
        reports.iter().map(|r| r.phase).collect::<Vec<_>>()
    );
    let last = reports.last().expect("reports");
    assert_eq!((last.phase, last.sent_bytes, last.confirmed_bytes), (Phase::Done, 100 * MIB, 100 * MIB));
    let speed = reports.iter().rev().find(|report| report.phase == Phase::Upload).expect("uploading").bytes_per_second;
    assert!(speed > 1e6, "{speed}");
}

#[test]
fn until_the_end_there_is_an_action_or_a_wake_up_to_wait_for() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    for put in bench.puts() {
        bench.fail_put(&put, 503, "SlowDown");
    }
    assert!(bench.alarm().is_some(), "all parts are in backoff, so a wake-up must be set");
    bench.wait(3_000);
    assert_eq!(bench.puts().len(), 3, "three may be sent at once, half as many as before");
}

/// Runs a whole upload with this algorithm. `checksum` returns the checksum of a part, which is also S3's.
fn upload_by(algorithm: ChecksumAlgorithm, size: u64, checksum: impl Fn(Part) -> Option<PartChecksum>) -> Uploaded {
    let mut bench = Bench::by(algorithm, size);
    for _ in 0..100 {
        for part in bench.hashes() {
            let checksum = checksum(part).expect("without checksums nothing is hashed");
            bench.send(Event::PartHashed { part, checksum });
        }
        for request in bench.creates() {
            assert_eq!(request.algorithm, algorithm);
            assert!(!request.parts.is_empty(), "the request contains the first part");
            let parts = signed(&SignParts { parts: request.parts, bits_per_second: None, lane: 0 }).parts;
            let reply = UploadCreated { parts, ..created(bench.plan()) };
            bench.send(Event::Created(reply));
        }
        bench.sign_all();
        for put in bench.puts() {
            let checksum = checksum(put.part).map(|checksum| checksum.to_text());
            bench.answer_put(&put, answer_of_s3("0123456789abcdef0123456789abcdef", checksum));
        }
        for request in bench.completes() {
            let parts = bench.plan();
            let of_parts = parts.parts().map(|part| (checksum(part), part.length));
            assert_eq!(request.checksum, ObjectChecksum::of(algorithm, of_parts));
            let (key, etag) = ("uploads/key".to_owned(), "whole".to_owned());
            let checksum = request.checksum.map(|checksum| checksum.to_text());
            bench.send(Event::Completed(UploadCompleted { key, etag, checksum, size }));
        }
        if let Some(outcome) = bench.outcome() {
            return outcome.expect("stored");
        }
    }
    panic!("it never ends");
}

#[test]
fn crc64nvme_covers_the_whole_object_also_if_it_was_sent_in_parts() {
    let of = |part: Part| Some(Crc64Nvme::of(&part.offset.to_le_bytes()).into());
    let uploaded = upload_by(ChecksumAlgorithm::Crc64nvme, 50 * MIB, of);
    assert_eq!(uploaded.checksum.map(|checksum| checksum.len()), Some(12));
    let single = upload_by(ChecksumAlgorithm::Crc64nvme, MIB, of);
    assert_eq!(single.checksum, Some(Crc64Nvme::of(&0u64.to_le_bytes()).to_text()));
}

#[test]
fn without_checksums_nothing_is_read_before_it_is_sent() {
    for size in [0, MIB, 50 * MIB] {
        assert_eq!(upload_by(ChecksumAlgorithm::None, size, |_| None).checksum, None);
    }
}

#[test]
fn without_checksums_urls_are_requested_no_further_ahead() {
    let mut bench = Bench::by(ChecksumAlgorithm::None, 1_000 * MIB);
    assert_eq!(bench.creates().remove(0).parts.len(), 16);
    let reply = created(bench.plan());
    bench.send(Event::Created(reply));
    assert_eq!(bench.signs().remove(0).parts.len(), 18, "three windows");
}

#[test]
fn the_first_part_is_sent_without_a_signing_call() {
    let mut bench = Bench::new(100 * MIB);
    let first = bench.hashes()[0];
    bench.send(Event::PartHashed { part: first, checksum: digest(first) });
    let parts = bench.creates().remove(0).parts;
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [first.number]);
    let parts = signed(&SignParts { parts, bits_per_second: None, lane: 0 }).parts;
    let reply = UploadCreated { parts, ..created(bench.plan()) };
    bench.send(Event::Created(reply));
    assert_eq!(bench.puts().len(), 1);
    assert!(bench.signs().is_empty(), "there is nothing else to sign yet");
}
