//! Conditions that tests and benchmarks set: faults and slow links; and the count of what clients requested.

pub(crate) mod count;
pub(crate) mod faults;
pub(crate) mod link;
