//! Timing of hashing and signing: early enough that no connection is idle, and late enough that no URL expires.

use directput::engine::Event;
use directput::plan::Part;
use directput::protocol::{NetworkHint, PartNumber, PartToSign, SignParts, UploadCreated};

use crate::bench::{Bench, MIB, created, digest, signed};

#[test]
fn a_signing_call_waits_until_it_can_fill_the_connections_while_parts_are_under_way() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.hash_first();
    let parts = signed(&SignParts { parts: bench.creates().remove(0).parts, bits_per_second: None, lane: 0 }).parts;
    bench.send(Event::Created(UploadCreated { parts, ..created(bench.plan()) }));
    let first = bench.puts().remove(0);
    let mut hashing = Vec::new();
    let mut hash_one = |bench: &mut Bench| {
        hashing.extend(bench.hashes());
        let part = hashing.remove(0);
        bench.send(Event::PartHashed { part, checksum: digest(part) });
    };
    for _ in 0..4 {
        hash_one(&mut bench);
        assert!(bench.signs().is_empty(), "four of six would still be idle");
    }
    let mut sooner = bench.clone();
    sooner.store(&first);
    assert_eq!(sooner.signs().remove(0).parts.len(), 4, "no part is under way, so four are better than waiting");
    hash_one(&mut bench);
    let request = bench.signs().remove(0);
    assert_eq!(request.parts.len(), 5);
    bench.send(Event::Signed(signed(&request)));
    assert_eq!(bench.puts().len(), 5);
    for _ in 0..2 {
        hash_one(&mut bench);
        assert!(bench.signs().is_empty(), "none would be idle, and half of six are worth a call");
    }
    hash_one(&mut bench);
    assert_eq!(bench.signs().remove(0).parts.len(), 3);
}

#[test]
fn urls_are_requested_when_the_rest_lasts_for_two_answers_of_the_api() {
    // The API answers each of two calls after 2.1 s or 3 s. Then one part is stored each second. The PUT of the first
    // of these parts began before the second answer.
    for (turnaround_ms, ready) in [(2_100, 4), (3_000, 5)] {
        let mut bench = Bench::new(1_000 * MIB);
        bench.create();
        for _ in 0..2 {
            bench.hash_all();
            bench.wait(turnaround_ms);
            bench.sign_all();
        }
        let mut puts = bench.puts();
        assert_eq!(puts.len(), 6);
        // 12 more parts have a URL.
        for left in (ready..12).rev() {
            bench.now_ms += 1_000;
            bench.store(&puts.remove(0));
            bench.hash_all();
            puts.extend(bench.puts());
            assert_eq!(bench.signs().len(), usize::from(left == ready), "{left} left");
        }
    }
}

#[test]
fn parts_that_are_hashed_while_all_connections_are_busy_are_signed_in_one_call() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    let mut calls = 0;
    let mut parts = 0;
    loop {
        bench.hash_all();
        let requests = bench.signs();
        calls += requests.len();
        parts += requests.iter().map(|request| request.parts.len()).sum::<usize>();
        for request in requests {
            bench.wait(20);
            bench.send(Event::Signed(signed(&request)));
        }
        let puts = bench.puts();
        if puts.is_empty() {
            break;
        }
        for put in puts {
            bench.wait(50);
            bench.store(&put);
            bench.hash_all();
        }
    }
    assert_eq!(parts, 125);
    assert!(calls <= 20, "{calls} calls for 125 parts, hashed 18 ahead at most");
}

#[test]
fn hashing_stays_30_seconds_ahead_but_at_most_one_call_and_two_windows() {
    for (part_ms, ahead) in [(10_000, 18..=18), (1_000, 27..=30), (100, 112..=112)] {
        let mut bench = Bench::new(5_000 * MIB);
        bench.create();
        let (mut hashed, mut is_ahead, mut under_way) = (1, 0, Vec::new());
        for stored in 0..100 {
            for _ in 0..2 {
                let mut parts = bench.hashes();
                while let Some(part) = parts.pop() {
                    hashed += 1;
                    bench.send(Event::PartHashed { part, checksum: digest(part) });
                    parts.extend(bench.hashes());
                }
                bench.sign_all();
                under_way.extend(bench.puts());
            }
            is_ahead = hashed - under_way.len() - stored;
            bench.now_ms += part_ms;
            bench.store(&under_way.remove(0));
        }
        assert!(ahead.contains(&is_ahead), "{part_ms} ms: {is_ahead}");
    }
}

#[test]
fn the_api_gets_the_measured_speed_or_the_assumed_speed_of_the_network() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    bench.hash_all();
    let request = bench.signs().remove(0);
    assert_eq!(request.bits_per_second, Some(NetworkHint::Unknown.bits_per_second()));
    bench.send(Event::Signed(signed(&request)));
    let mut speeds = Vec::new();
    let mut under_way = Vec::new();
    for _ in 0..60 {
        bench.hash_all();
        for request in bench.signs() {
            speeds.extend(request.bits_per_second);
            bench.send(Event::Signed(signed(&request)));
        }
        under_way.extend(bench.puts());
        bench.now_ms += 1_000;
        bench.store(&under_way.remove(0));
    }
    let last = speeds.pop().expect("calls were made");
    assert!((60_000_000..70_000_000).contains(&last), "8 MiB in a second, and not {last} bit/s");
}

#[test]
fn urls_that_were_not_requested_are_not_used() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    for _ in 0..2 {
        bench.hash_all();
        bench.sign_all();
    }
    bench.hash_all();
    let mut puts = bench.puts();
    let plan = bench.plan();
    let more = plan.parts().skip(18).take(6);
    let sign = |part: Part| PartToSign { number: part.number, length: part.length, checksum: Some(digest(part)) };
    bench.send(Event::Signed(signed(&SignParts { parts: more.map(sign).collect(), bits_per_second: None, lane: 0 })));
    for _ in 0..12 {
        bench.store(&puts.remove(0));
        bench.hash_all();
        puts.extend(bench.puts());
    }
    let numbers: Vec<_> =
        bench.signs().iter().flat_map(|request| &request.parts).map(|part| part.number.get()).collect();
    assert_eq!(numbers.first(), Some(&19));
}

#[test]
fn a_url_for_a_part_that_needs_none_is_not_used() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_all();
    let first = bench.signs().remove(0);
    bench.send(Event::Signed(signed(&first)));
    assert_eq!(bench.puts().len(), 1, "the first part is under way");
    let mut request = bench.signs().remove(0);
    let unknown = PartNumber::new(99).expect("in range");
    request.parts.insert(0, PartToSign { number: unknown, length: 1, checksum: None });
    request.parts.insert(0, first.parts[0].clone());
    bench.send(Event::Signed(signed(&request)));
    let numbers: Vec<_> = bench.puts().iter().map(|put| put.part.number.get()).collect();
    assert_eq!(numbers, [2, 3, 4, 5, 6]);
}

#[test]
fn no_call_names_more_parts_than_it_may() {
    let mut bench = Bench::new(100 * MIB);
    bench.hash_first();
    bench.creates();
    bench.send(Event::Created(UploadCreated { max_parts_per_request: 4, ..created(bench.plan()) }));
    let mut sizes = Vec::new();
    for _ in 0..5 {
        bench.hash_all();
        for request in bench.signs() {
            sizes.push(request.parts.len());
            bench.send(Event::Signed(signed(&request)));
        }
    }
    assert_eq!(sizes[..3], [1, 4, 4]);
}
