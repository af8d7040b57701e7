//! Configuration of an engine: the file, and the options with their defaults and ranges. The command line takes its
//! defaults and ranges from this file. `npm/page/options.ts` repeats the ranges; `tests/docs` compares them.

use std::ops::RangeInclusive;

use crate::checksum::ChecksumAlgorithm;
use crate::protocol::{ContentType, FileName, FileSize, NetworkHint};

/// Range of [`Config::parts_in_flight`]: no browser opens more connections.
pub const PARTS_IN_FLIGHT: RangeInclusive<u32> = 1..=64;

/// Default of [`Config::parts_in_flight`]: browsers open 6 connections to a host.
pub const DEFAULT_PARTS_IN_FLIGHT: u32 = 6;

/// Range of the option `stallSeconds`, in seconds.
pub const STALL_SECONDS: RangeInclusive<u64> = 5..=300;

/// Default of the option `stallSeconds`, in seconds. A shorter time would end PUTs that are still alive: the browser's
/// socket may buffer the last bytes of a part long before these bytes leave the machine.
pub const DEFAULT_STALL_SECONDS: u64 = 30;

/// The file to upload.
#[derive(Debug, Clone)]
pub struct FileInfo {
    /// Name on the user's disk.
    pub name: FileName,
    /// Media type.
    pub content_type: ContentType,
    /// Size in bytes.
    pub size: FileSize,
}

/// Options of one upload.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    // Limits
    /// Maximum number of PUTs in flight. Range: [`PARTS_IN_FLIGHT`].
    pub parts_in_flight: u32,
    /// Maximum number of parts that are hashed at once, at least 1.
    pub hashers: u32,
    /// Minimum time without progress after which the engine cancels a PUT and sends the part again, in milliseconds.
    /// Range: [`STALL_SECONDS`]. On slow links the engine waits longer.
    pub stall_ms: u64,

    // Integrity
    /// Algorithm of the checksums of the parts and the object.
    pub algorithm: ChecksumAlgorithm,

    // Surroundings
    /// Kind of network link.
    pub network: NetworkHint,
    /// Whether [`Action::Persist`](super::Action::Persist) survives the end of the driver. If it does, a later session
    /// can resume an upload that the network has ended. If it does not, the engine removes the sent parts of every
    /// upload that fails.
    pub keeps_records: bool,
    /// Whether requests go through a service worker. The browser then reports no progress of PUTs.
    pub has_service_worker: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            parts_in_flight: DEFAULT_PARTS_IN_FLIGHT,
            hashers: 2,
            stall_ms: DEFAULT_STALL_SECONDS * 1_000,
            algorithm: ChecksumAlgorithm::Sha256,
            network: NetworkHint::Unknown,
            keeps_records: false,
            has_service_worker: false,
        }
    }
}
