//! Parts that can't be read, or whose reads time out.

use directput::engine::{Action, Event, Remains};
use directput::plan::{Part, Plan};
use directput::protocol::{ErrorCode, FileSize, PartsListed, StoredPart};

use crate::bench::{Bench, MIB, created, digest};

const SIZE: u64 = 40 * MIB;

fn sending() -> Bench {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench
}

fn fail(bench: &mut Bench, part: Part, code: ErrorCode) {
    bench.send(Event::HashFailed { part, failure: code.into() });
}

fn hash(bench: &mut Bench, part: Part) {
    bench.send(Event::PartHashed { part, checksum: digest(part) });
}

#[test]
fn a_file_that_can_no_longer_be_read_ends_the_upload_and_keeps_its_record() {
    let mut bench = sending();
    let part = bench.hashes()[0];
    fail(&mut bench, part, ErrorCode::FileChanged);
    let retry = bench.retries().remove(0);
    assert_eq!((retry.part, retry.code), (Some(part.number), ErrorCode::FileChanged));
    assert_eq!((retry.failures, retry.wait_ms), (1, 1_500));
    let is_read_later =
        |action: &Action| matches!(action, Action::HashPart { part: of, after_ms: 1_500 } if *of == part);
    assert_eq!(bench.take(|action| is_read_later(action).then_some(())).len(), 1);
    fail(&mut bench, part, ErrorCode::FileChanged);
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::FileChanged, Remains::Parts));
    assert_eq!((bench.aborts(), bench.retries()), (0, vec![]));
}

#[test]
fn a_file_that_can_be_read_the_second_time_is_uploaded() {
    let mut bench = sending();
    let [part, other] = bench.hashes()[..] else { panic!("two are read at once") };
    fail(&mut bench, part, ErrorCode::FileChanged);
    bench.retries();
    hash(&mut bench, other);
    bench.hash_and_sign();
    let put = bench.puts().into_iter().find(|put| put.part == part).expect("its PUT");
    bench.send(Event::PutFailed { put: put.id, failure: ErrorCode::FileChanged.into() });
    let retry = bench.retries().remove(0);
    assert_eq!((retry.part, retry.code, retry.wait_ms), (Some(part.number), ErrorCode::FileChanged, 1_500));
    bench.puts();
    bench.wait(1_499);
    assert!(bench.puts().iter().all(|put| put.part != part));
    bench.wait(1);
    let again = bench.puts().into_iter().find(|put| put.part == part).expect("sent again");
    assert_eq!((again.url, bench.outcome()), (put.url, None));
}

#[test]
fn a_part_that_is_not_hashed_is_not_read_again() {
    let mut bench = sending();
    let part = bench.hashes()[0];
    hash(&mut bench, part);
    bench.hashes();
    fail(&mut bench, part, ErrorCode::FileChanged);
    assert_eq!((bench.hashes(), bench.retries(), bench.outcome()), (vec![], vec![], None));
}

#[test]
fn a_file_that_changes_during_the_upload_ends_it_and_keeps_its_record() {
    let mut bench = sending();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.send(Event::PutFailed { put: put.id, failure: ErrorCode::FileChanged.into() });
    bench.wait(1_500);
    let again = bench.puts().into_iter().find(|again| again.part == put.part).expect("sent again");
    bench.send(Event::PutFailed { put: again.id, failure: ErrorCode::FileChanged.into() });
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains, bench.aborts()), (ErrorCode::FileChanged, Remains::Parts, 0));
}

#[test]
fn a_part_whose_reading_times_out_is_read_again_twice() {
    let mut bench = sending();
    let [part, other] = bench.hashes()[..] else { panic!("two are read at once") };
    for failures in [1, 2] {
        fail(&mut bench, part, ErrorCode::ReadTimeout);
        let retry = bench.retries().remove(0);
        assert_eq!((retry.part, retry.code), (Some(part.number), ErrorCode::ReadTimeout));
        assert_eq!((retry.failures, retry.wait_ms), (failures, 0));
        assert_eq!(bench.hashes(), [part]);
    }
    hash(&mut bench, other);
    bench.hashes();
    fail(&mut bench, part, ErrorCode::ReadTimeout);
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::ReadTimeout, Remains::Parts));
    assert_eq!((bench.aborts(), bench.retries()), (0, vec![]));
}

#[test]
fn a_successful_read_restores_all_attempts_of_a_part() {
    let mut bench = sending();
    bench.hash_and_sign();
    for _ in 0..3 {
        let put = bench.puts().into_iter().find(|put| put.part.number.get() == 1).expect("the first part");
        bench.fail_put(&put, 400, "BadDigest");
        for _ in 0..2 {
            assert_eq!(bench.hashes(), [put.part]);
            fail(&mut bench, put.part, ErrorCode::ReadTimeout);
        }
        bench.hash_and_sign();
    }
    assert_eq!(bench.outcome(), None);
}

#[test]
fn a_read_failure_of_a_part_that_is_not_being_read_is_ignored() {
    let mut bench = sending();
    let [part, other] = bench.hashes()[..] else { panic!("two are read at once") };
    hash(&mut bench, part);
    hash(&mut bench, other);
    bench.hashes();
    fail(&mut bench, part, ErrorCode::ReadTimeout);
    assert_eq!((bench.hashes(), bench.retries()), (vec![], vec![]));

    // The server's plan differs from the assumed plan.
    let mut bench = Bench::keeping(SIZE);
    bench.hash_first();
    let late = bench.hashes()[0];
    bench.creates();
    let plan = Plan::restore(FileSize::new(SIZE).expect("in range"), 5 * MIB, true).expect("sound");
    bench.send(Event::Created(created(plan)));
    let parts = bench.hashes();
    assert_eq!(parts[1].number, late.number);
    fail(&mut bench, late, ErrorCode::ReadTimeout);
    assert_eq!((bench.hashes(), bench.retries()), (vec![], vec![]));
    parts.iter().for_each(|&part| hash(&mut bench, part));
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
}

#[test]
fn a_stored_part_is_compared_again_if_its_reading_timed_out() {
    let mut bench = sending();
    let record = bench.records().pop().flatten().expect("kept");
    let mut bench = Bench::restored(SIZE, record);
    let stored = |part: Part| StoredPart {
        number: part.number,
        size: part.length,
        etag: "tag".to_owned(),
        checksum: Some(digest(part).to_string()),
    };
    let parts = bench.plan().parts().map(stored).collect();
    bench.send(Event::Listed(PartsListed { parts, next: None }));
    for part in bench.plan().parts() {
        assert!(bench.hashes().iter().all(|other| other.number >= part.number));
        fail(&mut bench, part, ErrorCode::ReadTimeout);
        assert_eq!(bench.hashes(), [part], "before all others");
        assert_eq!(bench.completes().len(), 0);
        hash(&mut bench, part);
    }
    assert_eq!((bench.completes().len(), bench.puts().len()), (1, 0));
}
