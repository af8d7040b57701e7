//! How uploads share the connections of one page: the demand of each upload, and its share.

/// Share of one upload in the connections of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Maximum number of PUTs that the upload may have in flight.
    pub connections: u32,
    /// Lane for which the upload requests URLs. A part that waits with a URL for another lane gets a new URL.
    pub lane: u32,
    /// Total length of the PUTs in flight of all other uploads, in bytes. The queue rounds this length up, at most to
    /// its double.
    pub bytes_elsewhere: u64,
    /// Speed at which S3 confirms the bytes of all uploads together, in byte/s; `None` while unknown.
    pub bytes_per_second: Option<u64>,
}

impl Default for Share {
    /// Returns the share of the only upload of a page: no limit.
    fn default() -> Self {
        Self { connections: u32::MAX, lane: 0, bytes_elsewhere: 0, bytes_per_second: None }
    }
}

/// Connections that an upload uses and could use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Number of PUTs in flight.
    pub in_flight: u32,
    /// Number of PUTs that could be in flight, including the PUTs that are in flight.
    pub wanted: u32,
    /// Total length of the PUTs in flight, in bytes.
    pub bytes_in_flight: u64,
}
