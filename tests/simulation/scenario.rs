//! Scenario of a seed: files, a link, a server, faults, and user actions.

use directput::checksum::ChecksumAlgorithm;
use directput::plan::{DEFAULT_PART_BYTES, SINGLE_PUT_BYTES};
use fastrand::Rng;

use crate::link::{LinkKind, Told};
use crate::storage::{Repeats, Server};

/// Time after which no fault begins, in milliseconds.
pub const FAULTS_END_MS: u64 = 20 * 60_000;

pub const MIB: u64 = 1 << 20;

/// Probability of each fault.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Odds {
    /// A request that never arrives.
    pub lost_request: f64,
    /// An answer that never arrives.
    pub lost_answer: f64,
    /// A server error: status 500.
    pub error: f64,
    /// 503 SlowDown or 429 from S3, 429 from the API, with `Retry-After` or without.
    pub busy: f64,
    /// A dead connection.
    pub stall: f64,
    /// Bytes that arrive damaged.
    pub corruption: f64,
    /// A call that is answered with 401. Later calls get the same answer until there are fresh credentials.
    pub unauthorized: f64,
    /// Fresh credentials that come too late.
    pub late_headers: f64,
    /// A PUT whose signature S3 refuses although it is right.
    pub denied: f64,
    /// 409 to a PUT.
    pub conflict: f64,
    /// A gateway's 502 or 504 after the request was processed.
    pub gateway: f64,
    /// An answer that comes neither from S3 nor from the API, before the request was processed or after.
    pub portal: f64,
    /// A completion that is answered with the answer for another upload.
    pub foreign: f64,
    /// A call that is refused because the page calls for another user.
    pub other_user: f64,
    /// A part whose reading times out.
    pub slow_disk: f64,
    /// A PUT that is lost for the client and stored a little later.
    pub late_part: f64,
}

/// Faults of timers and clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clocks {
    /// Odds of a timer that fires early.
    pub early: f64,
    /// Odds of a timer that fires late.
    pub late: f64,
    /// Odds of a timer that fires twice.
    pub twice: f64,
    /// Drift of the clock relative to the world's, in parts per million.
    pub drift_ppm: i64,
}

/// Something that happens at a set time, in any state of the upload. A file number limits it to that file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Incident {
    Pause(usize),
    Resume(usize),
    Abort(usize),
    Prioritize(usize, i32),
    /// The tab is closed. Another one opens after this many milliseconds, with the current files.
    Kill {
        away_ms: u64,
    },
    /// The browser reports that it is offline.
    Offline,
    Online,
    /// The link is dead for this many milliseconds. The browser may still report that it is online.
    Outage {
        ms: u64,
    },
    /// The machine sleeps for this many milliseconds.
    Sleep {
        ms: u64,
    },
    /// The clock is set ahead by this many milliseconds.
    ClockJumps {
        ms: u64,
    },
    /// The file's bytes change, and the browser then refuses to read the file.
    FileChanges(usize),
    /// The file's bytes change while no tab has it open. Name, size and time do not change.
    FileChangesUnseen(usize),
    /// S3's lifecycle rule removes open uploads.
    UploadExpires,
    /// All upload tokens become invalid, because the server's key was changed.
    TokenExpires,
}

/// A file that the user adds.
#[derive(Debug, Clone, Copy)]
pub struct Dropped {
    pub size: u64,
    pub priority: i32,
    pub at_ms: u64,
}

/// Everything that a seed decides before the first step.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub files: Vec<Dropped>,
    pub server: Server,
    pub link: LinkKind,
    pub round_trip_ms: u64,
    pub connections: u32,
    pub keeps_records: bool,
    pub algorithm: ChecksumAlgorithm,
    pub has_credentials: bool,
    pub clocks: Clocks,
    pub odds: Odds,
    pub incidents: Vec<(u64, Incident)>,
    /// Number of the PUT whose connection dies, in a scenario without other faults.
    pub dead_put: Option<u32>,
}

impl Scenario {
    pub fn draw(rng: &mut Rng) -> Self {
        let is_huge = rng.u16(0..3_000) == 0;
        let count = if !is_huge && rng.u8(0..8) == 0 { rng.usize(2..9) } else { 1 };
        let is_calm = rng.u8(0..5) == 0;
        let mut link = draw_link(rng, is_calm, is_huge);
        let files: Vec<_> = (0..count).map(|_| draw_file(rng, &link, is_huge, count)).collect();
        let all_bytes: u64 = files.iter().map(|file| file.size).sum();
        let whole_ms = all_bytes * 1_000 / link.bytes_per_second;
        link.tick_ms = (whole_ms / if is_calm { 200 } else { 40 }).clamp(50, 10_000);
        let mut scenario = Self {
            server: draw_server(rng, is_huge),
            round_trip_ms: rng.u64(2..500),
            connections: rng.u32(1..=8),
            keeps_records: rng.u8(0..4) != 0,
            algorithm: match rng.u8(0..8) {
                0 => ChecksumAlgorithm::None,
                1..=2 => ChecksumAlgorithm::Crc64nvme,
                _ => ChecksumAlgorithm::Sha256,
            },
            has_credentials: rng.bool(),
            clocks: draw_clocks(rng),
            odds: Odds::default(),
            incidents: Vec::new(),
            dead_put: (is_calm && rng.u8(0..3) == 0).then(|| rng.u32(0..12)),
            files,
            link,
        };
        // Computed from an earlier draw: another draw would change all later draws of every seed.
        scenario.server.lanes = 1 + scenario.round_trip_ms as u32 % 3;
        if count > 1 && scenario.server.lanes > 1 {
            // The queue tries a lane only while at least 24 small files wait, so 30 are added.
            let small = |index: u64| Dropped { size: 1_000 + index, priority: 0, at_ms: 0 };
            scenario.files.extend((0..30).map(small));
            scenario.server.max_uploads_per_request = 8;
        }
        if scenario.algorithm == ChecksumAlgorithm::Crc64nvme && scenario.round_trip_ms.is_multiple_of(2) {
            scenario.algorithm = ChecksumAlgorithm::Crc64nvmeAfter;
            scenario.server.hides_checksum = scenario.round_trip_ms.is_multiple_of(4);
        }
        if !is_calm {
            scenario.server.dead_lane = [None, Some(1), Some(2)][scenario.round_trip_ms as usize / 3 % 3];
            scenario.odds = draw_odds(rng);
            scenario.incidents = draw_incidents(rng, count);
        }
        if scenario.algorithm == ChecksumAlgorithm::None {
            scenario.omit_what_only_a_checksum_notices();
        }
        scenario
    }

    /// Returns whether the scenario has no faults except a slow link.
    pub fn is_calm(&self) -> bool {
        self.odds == Odds::default() && self.incidents.is_empty() && !self.has_dead_lane()
    }

    /// Returns whether a lane of the server does not work.
    pub fn has_dead_lane(&self) -> bool {
        self.server.dead_lane.is_some_and(|lane| lane < self.server.lanes)
    }

    /// Returns the maximum number of PUTs in flight, on all lanes together.
    pub fn most_puts(&self) -> u32 {
        self.connections * self.server.lanes
    }

    /// Returns descriptions of the special features of the scenario.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let Self { link, server, clocks, .. } = self;
        let kinds = [
            ("crc64nvme", self.algorithm == ChecksumAlgorithm::Crc64nvme),
            ("crc64nvme-after", self.algorithm == ChecksumAlgorithm::Crc64nvmeAfter),
            ("not verified", self.algorithm == ChecksumAlgorithm::None),
            ("thousands of parts", self.all_bytes() > 10_000 * MIB),
            ("several files", self.files.len() > 1),
            ("another part size", server.part_bytes.is_some()),
            ("another threshold", server.single_put_bytes != SINGLE_PUT_BYTES),
            ("less than 1 Mbit/s", link.bytes_per_second < 125_000),
            ("more than 1 Gbit/s", link.bytes_per_second > 125_000_000),
            ("progress that includes buffers", link.told == Told::Entered),
            ("no progress", link.told == Told::Nothing),
            ("a proxy that takes whole bodies", link.takes_whole_bodies),
            ("a clock that drifts", clocks.drift_ppm != 0),
            ("several lanes", server.lanes > 1),
            ("a dead lane", self.has_dead_lane()),
        ];
        kinds.into_iter().filter(|&(_, is_so)| is_so).map(|(kind, _)| kind)
    }

    pub fn all_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Returns the length of a part, in bytes.
    pub fn part_bytes(&self) -> u64 {
        self.server.part_bytes.unwrap_or(DEFAULT_PART_BYTES)
    }

    /// Returns the time that the link needs for all files, plus the round trips of the PUTs of one connection, in
    /// milliseconds.
    pub fn ideal_ms(&self) -> u64 {
        let part_bytes = self.part_bytes();
        let parts: u64 = self.files.iter().map(|file| file.size.div_ceil(part_bytes).max(1)).sum();
        let trips = 4 * parts.div_ceil(self.connections.into()) + 8;
        self.all_bytes() * 1_000 / self.link.bytes_per_second + trips * self.round_trip_ms
    }

    /// Returns the additional time that the engine may wait for PUTs on dead connections after repeated stalls, in
    /// milliseconds: 2.5 times the time that the bytes in flight need at 64 kbit/s.
    pub fn silence_ms(&self) -> u64 {
        let longest_bytes = self.part_bytes().max(self.server.single_put_bytes);
        let in_flight_bytes = self.all_bytes().min(longest_bytes * u64::from(self.most_puts()));
        2 * in_flight_bytes * 1_250 / 8_000
    }

    fn omit_what_only_a_checksum_notices(&mut self) {
        self.odds.corruption = 0.0;
        self.incidents
            .retain(|(_, incident)| !matches!(incident, Incident::FileChanges(_) | Incident::FileChangesUnseen(_)));
    }
}

fn draw_file(rng: &mut Rng, link: &LinkKind, is_huge: bool, count: usize) -> Dropped {
    // On the slowest links, small files take as long as large files on fast links.
    let most = if link.bytes_per_second < 100_000 { 40 } else { 160 } * MIB / count.min(4) as u64;
    let size = match rng.u8(0..10) {
        _ if is_huge => rng.u64(5_000 * MIB..40_000 * MIB),
        0 => 0,
        1 => rng.u64(1..16 * MIB),
        2 => 16 * MIB + 1,
        3..=5 if count > 1 => rng.u64(1..4 * MIB),
        _ => rng.u64(16 * MIB + 1..most.max(17 * MIB)),
    };
    let at_ms = if count > 1 && rng.bool() { rng.u64(0..20_000) } else { 0 };
    Dropped { size, priority: if count > 1 && rng.u8(0..3) == 0 { rng.i32(0..3) } else { 0 }, at_ms }
}

fn draw_link(rng: &mut Rng, is_calm: bool, is_huge: bool) -> LinkKind {
    let bytes_per_second = match rng.u8(0..10) {
        _ if is_huge => 1_250_000_000,
        // From 64 kbit/s to 10 Gbit/s, uniform in the logarithm.
        0..=2 if is_calm => (8_000.0 * 10f64.powf(rng.f64() * 2.0)) as u64,
        0..=5 if is_calm => (8_000.0 * 10f64.powf(rng.f64() * 5.2)) as u64,
        0 => (8_000.0 * 10f64.powf(rng.f64() * 5.2)) as u64,
        _ => [100_000, 1_000_000, 10_000_000, 100_000_000][rng.usize(0..4)],
    };
    let is_plain = rng.u8(0..3) != 0;
    LinkKind {
        bytes_per_second,
        buffer_bytes: if is_plain { 0 } else { 1 << rng.u32(10..27) },
        told: match rng.u8(0..8) {
            0 => Told::Nothing,
            1..=4 if !is_plain => Told::Entered,
            _ => Told::Arrived,
        },
        takes_whole_bodies: rng.u8(0..12) == 0,
        tick_ms: 0,
    }
}

fn draw_server(rng: &mut Rng, is_huge: bool) -> Server {
    let usual = Server { url_seconds: [60, 60, 120, 300][rng.usize(0..4)], ..Server::default() };
    if is_huge {
        return Server { max_parts_per_request: 100, parts_per_page: 1_000, ..usual };
    }
    Server {
        part_bytes: (rng.u8(0..4) == 0).then(|| [5 * MIB, 6 * MIB + 1, 24 * MIB][rng.usize(0..3)]),
        single_put_bytes: match rng.u8(0..10) {
            0 => 0,
            1 => 40 * MIB,
            _ => SINGLE_PUT_BYTES,
        },
        repeats: match rng.u8(0..8) {
            0 => Repeats::Refused,
            1 => Repeats::Forgotten,
            _ => Repeats::AsTheFirst,
        },
        ..usual
    }
}

fn draw_clocks(rng: &mut Rng) -> Clocks {
    let mut odd = || if rng.u8(0..4) == 0 { rng.f64() } else { 0.0 };
    let (early, late, twice) = (odd(), odd(), odd());
    // Quartz clocks have less drift.
    let drift_ppm = if rng.u8(0..4) == 0 { rng.i64(-500..=500) } else { 0 };
    Clocks { early, late, twice, drift_ppm }
}

/// Draws the odds. Each kind of fault is absent from most runs, and is the only kind in some runs.
fn draw_odds(rng: &mut Rng) -> Odds {
    let mut odds = Odds::default();
    // Each fault has its maximum odds, and a number: one in this many runs has the fault.
    let mut kinds = [
        (&mut odds.lost_request, 0.3, 4),
        (&mut odds.lost_answer, 0.3, 4),
        (&mut odds.error, 0.3, 4),
        (&mut odds.busy, 0.3, 4),
        (&mut odds.stall, 0.2, 4),
        (&mut odds.corruption, 0.2, 5),
        (&mut odds.unauthorized, 0.1, 5),
        (&mut odds.late_headers, 0.2, 8),
        (&mut odds.denied, 0.2, 5),
        (&mut odds.conflict, 0.3, 8),
        (&mut odds.gateway, 0.3, 6),
        (&mut odds.portal, 0.4, 6),
        (&mut odds.foreign, 0.5, 8),
        (&mut odds.other_user, 0.1, 10),
        (&mut odds.slow_disk, 0.3, 8),
        (&mut odds.late_part, 0.2, 6),
    ];
    if rng.u8(0..4) == 0 {
        let (odds, most, _) = &mut kinds[rng.usize(0..16)];
        **odds = rng.f64() * *most;
    } else {
        for (odds, most, one_in) in kinds {
            if rng.u8(0..one_in) == 0 {
                *odds = rng.f64() * most;
            }
        }
    }
    odds
}

fn draw_incidents(rng: &mut Rng, files: usize) -> Vec<(u64, Incident)> {
    let mut incidents = Vec::new();
    // Most incidents happen while bytes are under way. Some happen before, and some after.
    let span_ms = [2_000, 30_000, 120_000, FAULTS_END_MS][rng.usize(0..4)];
    for _ in 0..rng.usize(0..6) {
        let at_ms = rng.u64(0..span_ms);
        for (later_ms, incident) in draw_incident(rng, files) {
            incidents.push((at_ms + later_ms, incident));
        }
    }
    incidents.sort_by_key(|&(at_ms, _)| at_ms);
    incidents
}

fn draw_incident(rng: &mut Rng, files: usize) -> Vec<(u64, Incident)> {
    let ms = 1 << rng.u32(5..20);
    let file = rng.usize(0..files);
    match rng.u8(0..22) {
        0..=3 => vec![(0, Incident::Pause(file)), (ms, Incident::Resume(file))],
        4..=5 => vec![(0, Incident::Abort(file))],
        6..=9 => vec![(0, Incident::Kill { away_ms: ms })],
        10..=11 => vec![(0, Incident::Offline), (0, Incident::Outage { ms }), (ms, Incident::Online)],
        12 => vec![(0, Incident::Offline)],
        13..=14 => vec![(0, Incident::Outage { ms })],
        15 => vec![(0, Incident::Sleep { ms: ms * 16 })],
        16 => vec![(0, Incident::FileChanges(file))],
        17 => vec![(0, Incident::Kill { away_ms: ms }), (1, Incident::FileChangesUnseen(file))],
        18 => vec![(0, Incident::UploadExpires)],
        19 => vec![(0, Incident::TokenExpires)],
        20 => vec![(0, Incident::ClockJumps { ms: ms.min(10_000) })],
        _ => vec![(0, Incident::Prioritize(file, rng.i32(-1..3)))],
    }
}
