//! What a seed stands for: a file, a link, faults, and what a user does.

use fastrand::Rng;

/// No fault begins later, in milliseconds.
pub const FAULTS_END_MS: u64 = 20 * 60_000;

const MIB: u64 = 1 << 20;

/// How often each thing goes wrong, as a probability.
#[derive(Debug, Clone, Copy, Default)]
pub struct Odds {
    /// A request that never arrives.
    pub lost_request: f64,
    /// An answer that never arrives.
    pub lost_answer: f64,
    /// 500.
    pub error: f64,
    /// 503 SlowDown from S3, 429 from the API.
    pub busy: f64,
    /// A connection on which nothing moves any more.
    pub stall: f64,
    /// Bytes that arrive as others.
    pub corruption: f64,
    /// A call that is answered by 401.
    pub unauthorized: f64,
    /// A PUT that S3 says it knows no signature for, although it does.
    pub denied: f64,
}

/// Something that happens at its time, whatever the upload does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Incident {
    Pause,
    Resume,
    Abort,
    /// The tab is gone; another opens after so many milliseconds, with the file as it is then.
    Kill {
        away_ms: u64,
    },
    /// The browser says so.
    Offline,
    Online,
    /// The link is dead for so many milliseconds, whether the browser says so or not.
    Outage {
        ms: u64,
    },
    /// The machine sleeps for so many milliseconds.
    Sleep {
        ms: u64,
    },
    /// The file's bytes change, and the browser refuses to read it any more.
    FileChanges,
    /// The file's bytes change while no tab has it open; name, size and time stay.
    FileChangesUnseen,
    /// S3's lifecycle rule removes open uploads.
    UploadExpires,
    /// The token's key is changed.
    TokenExpires,
}

/// Everything that a seed decides before the first step.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub size: u64,
    pub part_bytes: Option<u64>,
    pub bytes_per_second: u64,
    pub round_trip_ms: u64,
    pub url_seconds: u64,
    pub parts_in_flight: u32,
    pub keeps_records: bool,
    /// By SHA-256, or by nothing: then nothing happens that only a checksum could notice.
    pub is_verified: bool,
    pub has_credentials: bool,
    pub odds: Odds,
    pub incidents: Vec<(u64, Incident)>,
}

impl Scenario {
    pub fn draw(rng: &mut Rng) -> Self {
        let size = match rng.u8(0..10) {
            0 => 0,
            1 => rng.u64(1..16 * MIB),
            2 => 16 * MIB + 1,
            _ => rng.u64(16 * MIB + 1..160 * MIB),
        };
        let mut incidents = Vec::new();
        // Most happen while bytes are on their way, some before, some after.
        let span_ms = [2_000, 30_000, 120_000, FAULTS_END_MS][rng.usize(0..4)];
        for _ in 0..rng.usize(0..6) {
            let at_ms = rng.u64(0..span_ms);
            for (later_ms, incident) in draw_incident(rng) {
                incidents.push((at_ms + later_ms, incident));
            }
        }
        incidents.sort_by_key(|&(at_ms, _)| at_ms);
        Self {
            size,
            part_bytes: (rng.u8(0..4) == 0 && size > 16 * MIB).then_some(5 * MIB),
            bytes_per_second: [100_000, 1_000_000, 10_000_000, 100_000_000][rng.usize(0..4)],
            round_trip_ms: rng.u64(2..500),
            url_seconds: [60, 60, 120, 300][rng.usize(0..4)],
            parts_in_flight: rng.u32(1..=8),
            keeps_records: rng.u8(0..4) != 0,
            has_credentials: rng.bool(),
            odds: draw_odds(rng),
            incidents,
            is_verified: true,
        }
        .or_unverified(rng)
    }

    fn or_unverified(mut self, rng: &mut Rng) -> Self {
        if rng.u8(0..8) == 0 {
            self.is_verified = false;
            self.odds.corruption = 0.0;
            self.incidents
                .retain(|(_, incident)| !matches!(incident, Incident::FileChanges | Incident::FileChangesUnseen));
        }
        self
    }
}

fn draw_odds(rng: &mut Rng) -> Odds {
    // Each kind of fault is absent from most runs, so that each is also seen alone.
    let mut odd = |most: f64| if rng.u8(0..3) == 0 { rng.f64() * most } else { 0.0 };
    Odds {
        lost_request: odd(0.3),
        lost_answer: odd(0.3),
        error: odd(0.3),
        busy: odd(0.3),
        stall: odd(0.2),
        corruption: odd(0.2),
        unauthorized: odd(0.1),
        denied: odd(0.2),
    }
}

fn draw_incident(rng: &mut Rng) -> Vec<(u64, Incident)> {
    let ms = 1 << rng.u32(5..20);
    match rng.u8(0..20) {
        0..=3 => vec![(0, Incident::Pause), (ms, Incident::Resume)],
        4..=5 => vec![(0, Incident::Abort)],
        6..=9 => vec![(0, Incident::Kill { away_ms: ms })],
        10..=11 => vec![(0, Incident::Offline), (0, Incident::Outage { ms }), (ms, Incident::Online)],
        12 => vec![(0, Incident::Offline)],
        13..=14 => vec![(0, Incident::Outage { ms })],
        15 => vec![(0, Incident::Sleep { ms: ms * 16 })],
        16 => vec![(0, Incident::FileChanges)],
        17 => vec![(0, Incident::Kill { away_ms: ms }), (1, Incident::FileChangesUnseen)],
        18 => vec![(0, Incident::UploadExpires)],
        _ => vec![(0, Incident::TokenExpires)],
    }
}
