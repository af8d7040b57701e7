//! Uploads that outlive their session.

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme};
use directput::engine::{Call, Event, Record, Remains};
use directput::plan::Part;
use directput::protocol::{ErrorCode, PartsListed, StoredPart};

use crate::bench::{Bench, MIB, completed, digest, stored as answer_of_s3};

const SIZE: u64 = 40 * MIB;

/// Returns the record of an upload that was just opened.
fn record() -> Record {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.records().pop().flatten().expect("the record is persisted at once")
}

fn stored(part: Part) -> StoredPart {
    StoredPart {
        number: part.number,
        size: part.length,
        etag: format!("tag{}", part.number.get()),
        checksum: Some(digest(part).to_string()),
    }
}

fn list(bench: &mut Bench, held: impl Fn(Part) -> Option<StoredPart>) {
    assert_eq!(bench.lists(), [None]);
    let parts = bench.plan().parts().filter_map(held).collect();
    bench.send(Event::Listed(PartsListed { parts, next: None }));
}

#[test]
fn stored_parts_are_compared_and_not_sent_again() {
    let mut bench = Bench::restored(SIZE, record());
    assert_eq!(bench.creates().len(), 0);
    list(&mut bench, |part| (part.number.get() != 3).then(|| stored(part)));
    bench.hash_and_sign();
    let puts = bench.puts();
    assert_eq!(puts.iter().map(|put| put.part.number.get()).collect::<Vec<_>>(), [3]);
    bench.wait(200);
    let report = bench.reports().pop().expect("a report");
    assert_eq!((report.hashed_bytes, report.confirmed_bytes, report.confirmed_parts), (SIZE, SIZE - 8 * MIB, 4));
    bench.store(&puts[0]);
    let request = bench.completes().pop().expect("a completion");
    assert_eq!(request.parts.len(), 5);
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
    assert_eq!(bench.records().last(), Some(&None), "and nothing is kept");
}

#[test]
fn a_stored_part_with_other_bytes_shows_that_the_file_is_another() {
    let mut bench = Bench::restored(SIZE, record());
    list(&mut bench, |part| {
        let checksum = Some(directput::checksum::Sha256Digest::of(b"before").to_string());
        (part.number.get() == 1).then(|| StoredPart { checksum, ..stored(part) })
    });
    bench.hash_and_sign();
    assert_eq!(
        (bench.puts().len(), bench.aborts(), bench.records()),
        (0, 0, vec![]),
        "nothing is sent, nothing is removed"
    );
    assert_eq!(bench.failed_with(), Some(ErrorCode::WrongFile));
}

#[test]
fn a_stored_part_of_another_length_is_sent_again() {
    let mut bench = Bench::restored(SIZE, record());
    list(&mut bench, |part| (part.number.get() == 2).then(|| StoredPart { size: 5, ..stored(part) }));
    bench.hash_and_sign();
    assert_eq!(bench.puts().len(), 5);
}

#[test]
fn a_long_list_is_read_in_pages_and_an_endless_one_is_refused() {
    let mut bench = Bench::restored(SIZE, record());
    let part = bench.plan().parts().next().expect("a part");
    assert_eq!(bench.lists(), [None]);
    let page = PartsListed { parts: vec![stored(part)], next: Some(part.number) };
    bench.send(Event::Listed(page.clone()));
    assert_eq!(bench.lists(), [Some(part.number)]);
    bench.send(Event::Listed(page));
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::InvalidReply));
}

#[test]
fn an_upload_that_is_gone_is_restarted() {
    for code in [ErrorCode::UploadGone, ErrorCode::TokenExpired] {
        let mut bench = Bench::restored(SIZE, record());
        bench.fail_call(Call::List, code);
        assert_eq!(bench.records(), [None], "{code:?}");
        bench.create();
        bench.store_all();
        assert_eq!(bench.completes().len(), 1);
    }
}

#[test]
fn the_upload_of_another_user_of_this_browser_is_left_alone() {
    for code in [ErrorCode::NotYourUpload, ErrorCode::TokenInvalid] {
        let mut bench = Bench::restored(SIZE, record());
        bench.lists();
        bench.fail_call(Call::List, code);
        let failure = bench.outcome().expect("an end").expect_err("a failure");
        assert_eq!((failure.code, failure.remains), (code, Remains::Parts));
        assert_eq!((bench.records(), bench.aborts()), (vec![], 0));
    }
}

#[test]
fn if_s3_refuses_to_join_parts_they_are_listed_and_different_ones_are_sent_again_once() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    let first = bench.completes().remove(0);
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    assert_eq!(bench.aborts(), 0);
    // One entity tag was damaged, one part is missing, and one part has other bytes.
    let other = Some(directput::checksum::Sha256Digest::of(b"other").to_string());
    list(&mut bench, |part| match part.number.get() {
        1 => Some(StoredPart { etag: "true-tag".to_owned(), ..stored(part) }),
        2 => None,
        3 => Some(StoredPart { checksum: other.clone(), ..stored(part) }),
        _ => Some(stored(part)),
    });
    bench.hash_and_sign();
    let puts = bench.puts();
    assert_eq!(puts.iter().map(|put| put.part.number.get()).collect::<Vec<_>>(), [2, 3]);
    puts.iter().for_each(|put| bench.store(put));
    let second = bench.completes().remove(0);
    assert_eq!((second.parts.len(), second.checksum), (5, first.checksum));
    assert_eq!(second.parts[0].etag.as_str(), "true-tag");
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::PartsRefused));
}

#[test]
fn an_upload_that_ends_because_of_refused_signatures_keeps_its_record() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.records();
    for _ in 0..4 {
        bench.hash_and_sign();
        let put = bench.puts().into_iter().find(|put| put.part.number.get() == 1).expect("the first part");
        bench.fail_put(&put, 403, "AccessDenied");
        bench.wait(20_000);
    }
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::StorageRefused, Remains::Parts));
    assert_eq!((bench.aborts(), bench.records()), (0, vec![]));
}

#[test]
fn a_completion_is_persisted_before_it_is_sent_and_a_later_session_repeats_it() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    let kept = bench.records().pop().flatten().expect("kept");
    let sent = bench.completes().pop().expect("sent");
    assert_eq!(kept.completion.as_ref(), Some(&sent));
    let mut bench = Bench::restored(SIZE, kept);
    assert_eq!(bench.hashes().len(), 0, "nothing is read again");
    assert_eq!(bench.completes(), std::slice::from_ref(&sent));
    bench.send(completed(&sent, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn an_upload_ended_by_the_network_is_kept_and_one_ended_by_the_user_is_removed() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.records();
    bench.hash_all();
    for _ in 0..7 {
        bench.fail_call(Call::Sign, ErrorCode::Network);
        bench.wait(20_000);
    }
    assert_eq!(bench.failed_with(), None, "the API has answered before, so the upload waits for it");
    for _ in 0..60 {
        bench.fail_call(Call::Sign, ErrorCode::Network);
        bench.wait(20_000);
    }
    assert_eq!((bench.failed_with(), bench.aborts()), (Some(ErrorCode::Network), 0));
    assert_eq!(bench.records(), [], "the record is still valid");

    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.records();
    bench.send(Event::Abort);
    assert!(bench.records().pop().flatten().is_some_and(|record| record.discard));
    bench.remove();
    assert_eq!((bench.failed_with(), bench.records()), (Some(ErrorCode::Aborted), vec![None]));
}

#[test]
fn a_removal_that_failed_is_left_to_a_later_session() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.send(Event::Abort);
    let kept = bench.records().pop().flatten().expect("kept");
    for _ in 0..4 {
        assert_eq!(bench.aborts(), 1);
        bench.fail_call(Call::Abort, ErrorCode::Internal);
        bench.wait(2_000);
    }
    assert_eq!((bench.failed_with(), bench.records()), (Some(ErrorCode::Aborted), vec![]));
    let mut bench = Bench::restored(0, kept);
    bench.remove();
    assert_eq!((bench.failed_with(), bench.records().pop()), (Some(ErrorCode::Aborted), Some(None)));
}

#[test]
fn a_file_of_another_size_is_another_file() {
    let mut bench = Bench::restored(30 << 40, record());
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::WrongFile, Remains::Parts));
    assert_eq!((bench.aborts(), bench.records()), (0, vec![]));
    // Removing the upload needs no file.
    for record in [record(), Record { part_size: 1, ..record() }] {
        let mut bench = Bench::restored(0, Record { discard: true, ..record });
        bench.remove();
        assert_eq!((bench.failed_with(), bench.records().pop()), (Some(ErrorCode::Aborted), Some(None)));
    }
}

#[test]
fn an_upload_is_resumed_with_its_first_algorithm() {
    let of = |part: Part| Crc64Nvme::of(&part.offset.to_le_bytes());
    let record = Record { algorithm: ChecksumAlgorithm::Crc64nvme, ..record() };
    let mut bench = Bench::restored(SIZE, record);
    assert_eq!(bench.engine.algorithm(), ChecksumAlgorithm::Crc64nvme);
    list(&mut bench, |part| Some(StoredPart { checksum: Some(of(part).to_text()), ..stored(part) }));
    loop {
        let parts = bench.hashes();
        if parts.is_empty() {
            break;
        }
        for part in parts {
            bench.send(Event::PartHashed { part, checksum: of(part).into() });
        }
    }
    let request = bench.completes().pop().expect("a completion");
    assert_eq!(request.checksum.map(|checksum| checksum.to_text().len()), Some(12));
    assert!(bench.puts().is_empty());
}

#[test]
fn without_checksums_stored_parts_count_at_once() {
    let record = Record { algorithm: ChecksumAlgorithm::None, ..record() };
    let mut bench = Bench::restored(SIZE, record);
    list(&mut bench, |part| (part.number.get() != 3).then(|| StoredPart { checksum: None, ..stored(part) }));
    assert!(bench.hashes().is_empty());
    bench.sign_all();
    let puts = bench.puts();
    assert_eq!(puts.iter().map(|put| put.part.number.get()).collect::<Vec<_>>(), [3]);
    bench.answer_put(&puts[0], answer_of_s3("0123456789abcdef0123456789abcdef", None));
    let request = bench.completes().pop().expect("a completion");
    assert_eq!((request.parts.len(), request.checksum), (5, None));
}

#[test]
fn the_list_of_a_cancelled_upload_is_ignored() {
    let mut bench = Bench::restored(SIZE, record());
    assert_eq!(bench.lists(), [None]);
    bench.send(Event::Abort);
    let parts = bench.plan().parts().map(stored).collect();
    bench.send(Event::Listed(PartsListed { parts, next: None }));
    assert_eq!(bench.hashes(), []);
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn a_list_that_comes_too_late_is_requested_again() {
    let mut bench = Bench::restored(SIZE, record());
    assert_eq!(bench.lists(), [None]);
    bench.fail_call(Call::List, ErrorCode::Timeout);
    bench.send(Event::Listed(PartsListed { parts: Vec::new(), next: None }));
    assert_eq!(bench.hashes(), []);
    bench.wait(500);
    list(&mut bench, |_| None);
    assert_eq!(bench.hashes().len(), 2);
}

#[test]
fn other_parts_are_hashed_but_not_sent_while_stored_parts_are_compared() {
    let size = 1_000 * MIB;
    let mut bench = Bench::keeping(size);
    bench.create();
    let record = bench.records().pop().flatten().expect("kept");
    let mut bench = Bench::restored(size, record);
    list(&mut bench, |part| (part.number.get() == 1).then(|| stored(part)));
    let mut parts = bench.hashes();
    let held = parts.remove(0);
    assert_eq!(held.number.get(), 1);
    let mut hashed = 0;
    while let Some(part) = parts.pop() {
        hashed += 1;
        bench.send(Event::PartHashed { part, checksum: digest(part) });
        parts.extend(bench.hashes());
    }
    assert_eq!((hashed, bench.signs().len()), (18, 0));
    bench.send(Event::PartHashed { part: held, checksum: digest(held) });
    assert_eq!(bench.signs().len(), 1);
}
