//! For every size, the parts cover the file exactly and are within S3's limits.
#![cfg(not(target_arch = "wasm32"))]

use directput::plan::{
    DEFAULT_PART_BYTES, MAX_OBJECT_BYTES, MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES, Plan, SINGLE_PUT_BYTES,
};
use directput::protocol::{FileSize, PartNumber};
use proptest::prelude::*;

fn plan(size: u64) -> Plan {
    Plan::new(FileSize::new(size).expect("a size within the limit"), SINGLE_PUT_BYTES)
}

fn assert_sound(plan: Plan, size: u64) {
    let count = plan.part_count();
    assert!((1..=MAX_PARTS).contains(&count));
    let mut end = 0;
    for (index, part) in plan.parts().enumerate() {
        assert_eq!(part.number.index(), index);
        assert_eq!(part.offset, end, "no gap and no overlap before {part:?}");
        let is_last = index + 1 == count as usize;
        assert!(part.length <= MAX_PART_BYTES);
        assert!(part.length > 0 || size == 0);
        assert!(is_last || part.length >= MIN_PART_BYTES);
        assert!(is_last || part.length == plan.part_bytes());
        end = part.range().end;
    }
    assert_eq!(end, size, "the parts cover the file");
}

/// Returns sizes of every order of magnitude. A uniform choice would give only huge sizes.
fn any_size() -> impl Strategy<Value = u64> {
    (0u32..=46, any::<u64>()).prop_map(|(bits, random)| (random % (1 << bits).max(1)).min(MAX_OBJECT_BYTES))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn parts_cover_any_file_exactly_and_keep_every_limit(size in any_size()) {
        assert_sound(plan(size), size);
    }

    #[test]
    fn the_largest_files_keep_every_limit(size in MAX_OBJECT_BYTES / 2..=MAX_OBJECT_BYTES) {
        assert_sound(plan(size), size);
    }

    #[test]
    fn any_threshold_gives_a_sound_plan(size in any_size(), single in any::<u64>()) {
        assert_sound(Plan::new(FileSize::new(size).expect("in range"), single), size);
    }

    #[test]
    fn the_client_takes_over_any_plan_that_the_server_makes(size in any_size()) {
        let size = FileSize::new(size).expect("in range");
        let made = Plan::new(size, SINGLE_PUT_BYTES);
        let taken = Plan::restore(size, made.part_bytes(), made.is_multipart());
        prop_assert_eq!(taken, Some(made));
    }

    #[test]
    fn the_client_refuses_a_plan_that_does_not_fit(size in 1u64..1 << 40, part_bytes: u64, multipart: bool) {
        let size = FileSize::new(size).expect("in range");
        if let Some(plan) = Plan::restore(size, part_bytes, multipart) {
            assert_sound(plan, size.bytes());
        }
    }
}

#[test]
fn files_at_the_thresholds_are_cut_as_expected() {
    for size in [0, 1, MIN_PART_BYTES - 1, SINGLE_PUT_BYTES] {
        assert!(!plan(size).is_multipart(), "{size}");
        assert_eq!(plan(size).part_count(), 1, "{size}");
    }
    let two_parts_and_a_byte = plan(SINGLE_PUT_BYTES + 1);
    assert!(two_parts_and_a_byte.is_multipart());
    assert_eq!(two_parts_and_a_byte.part_count(), 3);
    assert_eq!(two_parts_and_a_byte.last().length, 1);

    let full = DEFAULT_PART_BYTES * u64::from(MAX_PARTS);
    for size in [full - 1, full, full + 1, MAX_OBJECT_BYTES - 1, MAX_OBJECT_BYTES] {
        assert_sound(plan(size), size);
    }
    assert_eq!(plan(MAX_OBJECT_BYTES).part_bytes(), MAX_PART_BYTES);
    assert_eq!(FileSize::new(MAX_OBJECT_BYTES + 1), None);
}

#[test]
fn the_limits_are_those_of_s3() {
    assert_eq!((MIN_PART_BYTES, MAX_PART_BYTES), (5_242_880, 5_368_709_120));
    assert_eq!((MAX_PARTS, MAX_OBJECT_BYTES), (10_000, 53_687_091_200_000));
    assert_eq!((DEFAULT_PART_BYTES, SINGLE_PUT_BYTES), (8_388_608, 16_777_216));
}

#[test]
fn a_plan_is_taken_over_up_to_the_limits_and_not_beyond() {
    let is_taken = |size: u64, part_bytes: u64, multipart: bool| {
        let plan = Plan::restore(FileSize::new(size).expect("in range"), part_bytes, multipart);
        assert!(plan.is_none_or(|plan| (plan.size(), plan.part_bytes()) == (size, part_bytes)));
        plan.is_some()
    };
    assert!(is_taken(MAX_PART_BYTES, MAX_PART_BYTES, false));
    assert!(!is_taken(MAX_PART_BYTES + 1, MAX_PART_BYTES + 1, false), "too long for one PUT");
    assert!(!is_taken(100, 99, false) && !is_taken(100, 101, false), "one PUT is the whole file");
    let full = MIN_PART_BYTES * u64::from(MAX_PARTS);
    assert!(is_taken(full, MIN_PART_BYTES, true) && is_taken(MAX_OBJECT_BYTES, MAX_PART_BYTES, true));
    assert!(!is_taken(full + 1, MIN_PART_BYTES, true), "a part too many");
    assert!(!is_taken(full, MIN_PART_BYTES - 1, true) && !is_taken(full, MAX_PART_BYTES + 1, true));
}

#[test]
fn a_file_is_cut_from_the_first_byte_above_the_threshold_on() {
    let is_multipart =
        |size: u64, single: u64| Plan::new(FileSize::new(size).expect("in range"), single).is_multipart();
    assert!(!is_multipart(100, 100) && is_multipart(101, 100));
    assert!(!is_multipart(MAX_PART_BYTES, u64::MAX) && is_multipart(MAX_PART_BYTES + 1, u64::MAX));
}

#[test]
fn a_part_outside_of_the_plan_is_none() {
    let plan = plan(SINGLE_PUT_BYTES + 1);
    assert!(plan.part(PartNumber::new(3).expect("valid")).is_some());
    assert_eq!(plan.part(PartNumber::new(4).expect("valid")), None);
    assert_eq!(PartNumber::new(0), None);
    assert_eq!(PartNumber::new(10_001), None);
}
