//! What the user is told of how far an upload is.

use directput::checksum::ChecksumAlgorithm;
use directput::engine::{Call, Event, Phase};
use directput::plan::Plan;
use directput::protocol::{ErrorCode, FileSize, PartsListed};

use crate::bench::{Bench, MIB, created, digest};

#[test]
fn a_plan_of_the_servers_own_takes_nothing_back() {
    let mut bench = Bench::new(40 * MIB);
    bench.hash_first();
    bench.creates();
    for part in bench.hashes() {
        bench.wait(200);
        bench.send(Event::PartHashed { part, checksum: digest(part) });
    }
    bench.wait(200);
    let before = *bench.reports().last().expect("a report");
    assert_eq!((before.phase, before.hashed_bytes, before.parts), (Phase::Sign, 16 * MIB, 0));
    let plan = Plan::restore(FileSize::new(40 * MIB).expect("in range"), 5 * MIB, true).expect("sound");
    bench.send(Event::Created(created(plan)));
    bench.wait(200);
    let after = *bench.reports().last().expect("a report");
    assert_eq!((after.phase, after.hashed_bytes, after.parts), (Phase::Sign, 16 * MIB, 8));
}

fn phases(bench: &mut Bench) -> Vec<Phase> {
    let mut phases: Vec<_> = bench.reports().into_iter().map(|report| report.phase).collect();
    phases.dedup();
    phases
}

#[test]
fn phases_follow_what_is_waited_for() {
    let mut bench = Bench::keeping(40 * MIB);
    assert_eq!(phases(&mut bench), [Phase::Hash]);
    bench.hash_first();
    assert_eq!(phases(&mut bench), [Phase::Sign]);
    bench.creates();
    let reply = created(bench.plan());
    bench.send(Event::Created(reply));
    let record = bench.records().pop().flatten().expect("kept");
    bench.hash_and_sign();
    bench.store_all();
    assert_eq!(phases(&mut bench), [Phase::Upload, Phase::Complete]);
    bench.completes();
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    assert_eq!(phases(&mut bench), [Phase::Sign], "what was hashed is known");
    bench.send(Event::Abort);
    assert_eq!(phases(&mut bench), [Phase::Abort]);

    // A later session knows nothing of the file until it has read it.
    let mut bench = Bench::restored(40 * MIB, record);
    bench.wait(200);
    bench.send(Event::Listed(PartsListed { parts: Vec::new(), next: None }));
    bench.wait(200);
    assert_eq!(phases(&mut bench), [Phase::Hash]);
    bench.hash_first();
    assert_eq!(phases(&mut bench), [Phase::Sign]);

    // Where nothing is verified nothing is read first.
    let mut bench = Bench::by(ChecksumAlgorithm::None, 40 * MIB);
    assert_eq!(phases(&mut bench), [Phase::Sign]);
}
