//! What the user is told of how far an upload is.

use directput::engine::{Event, Phase};
use directput::plan::Plan;
use directput::protocol::FileSize;

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
