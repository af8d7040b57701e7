//! PUTs without progress: on a slow link they arrive, and on a dead connection they are detected.

use directput::engine::{Action, Call, Config, Engine, Event, Put, Share};
use directput::protocol::ErrorCode;

use crate::bench::{Bench, MIB, file, signed};

fn sending() -> (Bench, Vec<Put>) {
    let mut bench = Bench::keeping(100 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    assert_eq!(puts.len(), 6);
    bench.send(Event::PutProgress { put: puts[5].id, sent_bytes: 1 });
    (bench, puts)
}

#[test]
fn a_dead_connection_among_live_ones_is_detected_within_a_minute() {
    let (mut bench, puts) = sending();
    bench.now_ms += 1_000;
    puts[1..].iter().for_each(|put| bench.store(put));
    bench.wait(31_700);
    let retries = bench.retries();
    assert_eq!((retries.len(), retries[0].code, retries[0].part), (1, ErrorCode::Timeout, Some(puts[0].part.number)));
}

#[test]
fn if_all_puts_are_silent_the_furthest_continues_and_a_new_one_tests_the_link() {
    let (mut bench, puts) = sending();
    bench.send(Event::PutProgress { put: puts[2].id, sent_bytes: MIB });
    bench.send(Event::PutProgress { put: puts[4].id, sent_bytes: MIB });
    bench.wait(44_999);
    assert_eq!(bench.cancelled_puts(), 0);
    bench.wait(1);
    let cancelled = bench.take(|action| if let Action::CancelPut(put) = action { Some(*put) } else { None });
    assert_eq!(cancelled, [0, 1, 3, 4, 5].map(|index| puts[index].id), "of equal PUTs the first continues");
    bench.wait(500);
    let more = bench.puts();
    assert_eq!(more.len(), 1, "two PUTs at once");
    // An answer to the new PUT shows that the link is fast, and that the old connection is dead.
    bench.now_ms += 1_000;
    bench.store(&more[0]);
    bench.wait(0);
    assert_eq!(bench.cancelled_puts(), 1);
}

#[test]
fn sent_bytes_keep_all_puts_alive_until_one_is_confirmed() {
    let (mut bench, puts) = sending();
    for step in 1..=20 {
        bench.wait(40_000);
        bench.send(Event::PutProgress { put: puts[step % 6].id, sent_bytes: step as u64 * 100_000 });
    }
    assert_eq!(bench.cancelled_puts(), 0);
}

#[test]
fn a_link_measured_as_slow_gets_enough_time() {
    let (mut bench, puts) = sending();
    // 8 MiB in 64 s: 1 Mbit/s. Five more PUTs are in flight.
    bench.now_ms += 40_000;
    bench.send(Event::PutProgress { put: puts[0].id, sent_bytes: 8 * MIB });
    bench.now_ms += 24_000;
    bench.store(&puts[0]);
    bench.wait(600_000);
    assert_eq!(bench.cancelled_puts(), 0);
}

#[test]
fn a_repeatedly_silent_part_gets_more_time_each_time() {
    let mut bench = Bench::new(8 * MIB);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    for limit_ms in [45_000, 315_000, 1_355_720] {
        let put = bench.puts().remove(0);
        bench.send(Event::PutProgress { put: put.id, sent_bytes: 1 });
        bench.wait(limit_ms - 1);
        assert_eq!(bench.cancelled_puts(), 0, "{limit_ms}");
        bench.wait(1);
        assert_eq!((bench.cancelled_puts(), bench.outcome()), (1, None), "{limit_ms}");
        // The next URL may have expired by then.
        bench.wait(20_000);
        bench.sign_all();
    }
}

#[test]
fn a_put_through_a_service_worker_gets_the_time_of_a_slow_link() {
    let config = Config { has_service_worker: true, ..Config::default() };
    let mut bench = Bench::start(Engine::new(config, file(20 * MIB)), 20 * MIB);
    bench.create();
    bench.hash_and_sign();
    assert_eq!(bench.puts().len(), 3);
    bench.wait(200_000);
    assert_eq!(bench.cancelled_puts(), 0, "20 MiB at 1 Mbit/s take 168 s");
    bench.wait(60_000);
    assert_eq!(bench.cancelled_puts(), 2);
}

#[test]
fn only_puts_with_hidden_progress_get_the_time_of_a_slow_link() {
    for (has_service_worker, sent_bytes, limit_ms) in [(false, 0, 45_000), (true, 1, 45_000), (true, 0, 254_715)] {
        let config = Config { has_service_worker, ..Config::default() };
        let mut bench = Bench::start(Engine::new(config, file(20 * MIB)), 20 * MIB);
        bench.create();
        bench.hash_and_sign();
        let put = bench.puts().remove(0);
        bench.alarm();
        bench.send(Event::PutProgress { put: put.id, sent_bytes });
        bench.wait(limit_ms - 1);
        assert_eq!((bench.cancelled_puts(), bench.alarm()), (0, Some(bench.now_ms + 1)), "{limit_ms}");
        bench.wait(1);
        assert_eq!(bench.cancelled_puts(), 2, "{limit_ms}");
    }
}

#[test]
fn a_restart_remembers_that_the_browser_reports_progress() {
    let config = Config { has_service_worker: true, ..Config::default() };
    let mut bench = Bench::start(Engine::new(config, file(20 * MIB)), 20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 1 });
    bench.fail_put(&put, 404, "NoSuchUpload");
    bench.cancelled_puts();
    bench.create();
    bench.hash_and_sign();
    assert_eq!(bench.puts().len(), 3);
    bench.wait(45_000);
    assert_eq!(bench.cancelled_puts(), 2);
}

#[test]
fn stopping_a_put_reconsiders_the_others_at_once() {
    let (mut bench, puts) = sending();
    bench.send(Event::Share(Share { bytes_per_second: Some(1_000_000), ..Share::default() }));
    bench.now_ms += 10_000;
    puts[1..].iter().for_each(|put| bench.send(Event::PutProgress { put: put.id, sent_bytes: 2 }));
    // The limit is 131 s with six PUTs in flight, and 114 s with five.
    bench.wait(121_000);
    assert_eq!((bench.cancelled_puts(), bench.alarm()), (1, Some(bench.now_ms + 1)));
    bench.wait(1);
    assert_eq!(bench.cancelled_puts(), 4, "the furthest continues");
}

#[test]
fn a_dead_network_ends_the_upload_in_the_end() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    let (mut now_ms, mut started, mut cancelled) = (0, 0, 0);
    while bench.outcome().is_none() {
        bench.hash_and_sign();
        started += bench.puts().len();
        bench.wait(10_000);
        cancelled += bench.cancelled_puts();
        now_ms += 10_000;
        assert!(now_ms < 4 * 3_600_000, "it never ends");
    }
    assert!(now_ms > 20 * 60_000, "a link of 64 kbit/s would still have time");
    assert_eq!(cancelled, started, "each PUT is stopped once");
}

#[test]
fn a_link_that_carries_other_uploads_is_not_given_up() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.send(Event::Share(Share {
        connections: 6,
        lane: 0,
        bytes_elsewhere: 4 * MIB,
        bytes_per_second: Some(2_048),
    }));
    for _ in 0..48 {
        bench.hash_and_sign();
        bench.puts();
        bench.wait(15 * 60_000);
    }
    assert_eq!(bench.outcome(), None);
}

#[test]
fn bytes_in_flight_of_other_uploads_count_too() {
    let (mut bench, puts) = sending();
    let share = Share { connections: 6, lane: 0, bytes_elsewhere: 100 * MIB, bytes_per_second: Some(1_000_000) };
    bench.send(Event::Share(share));
    // 148 MiB at 1 MB/s take 155 s. The limit is twice as long.
    bench.wait(300_000);
    assert_eq!(bench.cancelled_puts(), 0);
    bench.send(Event::Share(Share { bytes_elsewhere: 0, ..share }));
    assert_eq!(bench.cancelled_puts(), 5, "48 MiB do not take so long");
    assert!(puts.len() == 6);
}

#[test]
fn a_part_alone_on_the_link_gets_the_time_of_64_kbit_per_second() {
    let mut bench = Bench::new(8 * MIB);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    bench.puts();
    bench.send(Event::Share(Share { bytes_per_second: Some(8_000), ..Share::default() }));
    bench.wait(1_355_719);
    assert_eq!(bench.cancelled_puts(), 0);
    bench.wait(1);
    assert_eq!(bench.cancelled_puts(), 1, "wherever the clock began");
}

#[test]
fn a_part_is_not_given_up_when_the_part_beside_it_is_stored() {
    let (mut bench, puts) = sending();
    // No other PUT begins. The two PUTs in flight make no progress for nearly the time that they need at 64 kbit/s.
    bench.send(Event::Busy { wait_ms: 10_000_000 });
    puts[2..].iter().for_each(|put| bench.store(put));
    bench.send(Event::PutProgress { put: puts[0].id, sent_bytes: 1 });
    bench.send(Event::PutProgress { put: puts[1].id, sent_bytes: 1 });
    bench.send(Event::Share(Share { connections: 6, lane: 0, bytes_elsewhere: 0, bytes_per_second: Some(8_000) }));
    bench.wait(2_000_000);
    bench.store(&puts[0]);
    // 8 MiB at 64 kbit/s take 1,049 s. The limit is twice as long.
    bench.wait(2_097_151);
    assert_eq!(bench.cancelled_puts(), 0);
    bench.wait(1);
    assert_eq!(bench.cancelled_puts(), 1);
}

#[test]
fn a_put_that_is_too_slow_does_not_end_the_upload() {
    let mut bench = Bench::keeping(20 * MIB);
    bench.send(Event::Share(Share { connections: 1, ..Share::default() }));
    bench.create();
    bench.hash_and_sign();
    // 8 MiB in 524 s: 16 kB/s.
    let put = bench.puts().remove(0);
    for sent_bytes in 1..=13 {
        bench.wait(40_000);
        bench.send(Event::PutProgress { put: put.id, sent_bytes });
    }
    bench.now_ms += 4_000;
    bench.store(&put);
    let mut request = bench.signs().remove(0);
    request.parts.truncate(1);
    bench.send(Event::Signed(signed(&request)));
    assert_eq!((bench.puts().len(), bench.signs().len()), (1, 1));
    bench.fail_call(Call::Sign, ErrorCode::Network);
    // Twice the time that 8 MiB should take is 1,048 s.
    for _ in 0..17 {
        bench.wait(60_000);
    }
    assert_eq!(bench.cancelled_puts(), 0);
    bench.wait(60_000);
    assert_eq!((bench.cancelled_puts(), bench.outcome()), (1, None));
}

#[test]
fn each_put_is_stopped_once_when_the_upload_ends() {
    let (mut bench, puts) = sending();
    // 8 MiB in 1,044 s: 64 kbit/s.
    for sent_bytes in 1..=26 {
        bench.wait(40_000);
        bench.send(Event::PutProgress { put: puts[0].id, sent_bytes });
    }
    bench.now_ms += 4_000;
    bench.store(&puts[0]);
    assert_eq!(bench.signs().len(), 1, "the other URLs have expired");
    bench.fail_call(Call::Sign, ErrorCode::Network);
    while bench.outcome().is_none() {
        bench.wait(60_000);
    }
    let mut cancelled = bench.take(|action| if let Action::CancelPut(put) = action { Some(*put) } else { None });
    cancelled.sort();
    assert_eq!(cancelled, puts[1..].iter().map(|put| put.id).collect::<Vec<_>>());
}
