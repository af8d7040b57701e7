//! Emulation for tests and benchmarks: faults, slow links, and counters of requests.

pub(crate) mod count;
pub(crate) mod faults;
pub(crate) mod link;
pub(crate) mod window;
