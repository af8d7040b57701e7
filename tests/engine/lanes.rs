//! Uploads on lanes other than the default, and failures of such lanes.

use directput::engine::{Event, Put, Share};
use directput::protocol::{ErrorCode, SignParts, UploadCreated};

use crate::bench::{Bench, MIB, created, signed};

fn share(lane: u32) -> Event {
    Event::Share(Share { lane, ..Share::default() })
}

/// Returns a small file that was opened on lane 2, and its PUT.
fn small_on_lane_2() -> (Bench, Put) {
    let mut bench = Bench::new(MIB);
    bench.send(share(2));
    bench.hash_first();
    let request = bench.creates().remove(0);
    assert_eq!(request.lane, 2);
    let parts = signed(&SignParts { parts: request.parts, bits_per_second: None, lane: 2 }).parts;
    bench.send(Event::Created(UploadCreated { parts, ..created(bench.plan()) }));
    let put = bench.puts().remove(0);
    assert_eq!(put.lane, 2);
    (bench, put)
}

/// Waits until the part is signed again. Returns its PUT.
fn sent_again(bench: &mut Bench) -> Put {
    bench.wait(5_000);
    let request = bench.signs().remove(0);
    assert_eq!(request.lane, 0);
    bench.send(Event::Signed(signed(&request)));
    bench.puts().remove(0)
}

#[test]
fn parts_are_signed_for_the_lane_of_the_queue() {
    let mut bench = Bench::new(40 * MIB);
    bench.send(share(1));
    bench.create();
    bench.hash_all();
    let request = bench.signs().remove(0);
    assert_eq!(request.lane, 1);
    bench.send(Event::Signed(signed(&request)));
    assert!(bench.puts().iter().all(|put| put.lane == 1));
}

#[test]
fn a_put_that_fails_on_a_lane_is_sent_again_on_the_default() {
    let (mut bench, put) = small_on_lane_2();
    bench.fail_put(&put, 0, "");
    assert_eq!(sent_again(&mut bench).lane, 0);
}

#[test]
fn a_lane_that_refuses_does_not_end_the_upload() {
    for (status, storage_code) in [(400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchBucket"), (407, "")] {
        let (mut bench, put) = small_on_lane_2();
        bench.fail_put(&put, status, storage_code);
        let again = sent_again(&mut bench);
        assert_eq!(again.lane, 0, "{storage_code}");
        if status == 400 {
            bench.fail_put(&again, status, storage_code);
            assert_eq!(bench.failed_with(), Some(ErrorCode::StorageRefused), "the default lane counts");
        }
    }
}

#[test]
fn a_put_that_hangs_on_a_lane_is_sent_again_on_the_default() {
    let (mut bench, _) = small_on_lane_2();
    bench.wait(45_000);
    assert_eq!(bench.cancelled_puts(), 1);
    assert_eq!(sent_again(&mut bench).lane, 0);
}

#[test]
fn a_put_that_has_sent_nothing_leaves_a_lane_that_is_dropped() {
    let (mut bench, _) = small_on_lane_2();
    bench.send(share(0));
    assert_eq!(bench.cancelled_puts(), 1);
    let request = bench.signs().remove(0);
    assert_eq!(request.lane, 0);

    let (mut bench, put) = small_on_lane_2();
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 1 });
    bench.send(share(0));
    assert_eq!((bench.cancelled_puts(), bench.signs().len()), (0, 0), "it moves");
    bench.store(&put);
    assert!(bench.outcome().expect("an end").is_ok());
}

#[test]
fn a_failure_after_a_stored_part_leaves_the_lane_to_the_queue() {
    let mut bench = Bench::new(40 * MIB);
    bench.send(share(1));
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.store(&puts[0]);
    bench.fail_put(&puts[1], 0, "");
    puts[2..].iter().for_each(|put| bench.store(put));
    bench.wait(5_000);
    let again = bench.puts();
    let again = again.iter().find(|put| put.part == puts[1].part).expect("sent again");
    assert_eq!((again.lane, &again.url), (1, &puts[1].url));
}
