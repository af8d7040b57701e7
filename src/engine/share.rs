//! How uploads share the connections of one page: what one could use, and what it gets.

/// What one upload gets of what all uploads share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The most PUTs that it may have under way.
    pub lanes: u32,
    /// The lengths of the PUTs that other uploads have under way, in bytes.
    pub bytes_elsewhere: u64,
    /// How fast S3 confirms the bytes of all uploads together, in byte/s; none while that is not known.
    pub bytes_per_second: Option<u64>,
}

impl Default for Share {
    /// All there is, for an upload that is alone.
    fn default() -> Self {
        Self { lanes: u32::MAX, bytes_elsewhere: 0, bytes_per_second: None }
    }
}

/// What an upload has and could use, in PUTs at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// PUTs under way.
    pub in_flight: u32,
    /// PUTs that it would have under way if it could, those under way included.
    pub wanted: u32,
    /// Lengths of the PUTs under way, in bytes.
    pub bytes_in_flight: u64,
}
