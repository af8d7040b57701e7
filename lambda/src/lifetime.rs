//! How long a presigned URL lives: as long as its PUT needs to get started, and little longer. And how long the token of
//! a single PUT is good, by which its URL is signed again.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Links are slower than they promise, so a URL lives this many times the time that was reckoned.
const MARGIN: u64 = 3;

/// The slowest link on which uploads arrive, in byte/s: 64 kbit/s (`docs/reliability.md`).
const SLOWEST_BYTES_PER_SECOND: u64 = 8_000;

/// How many attempts there is time for on that link. The client gives up the first ones sooner: they were silent.
const SLOWEST_ATTEMPTS: u64 = 2;

/// How long a client goes on while nothing works, in seconds (`docs/reliability.md`, "Budgets").
const PATIENCE_SECONDS: u64 = 15 * 60;

/// How long the token of a single PUT of `bytes` is good: for the retries of a client whose link is the slowest.
pub fn single_put_lifetime(bytes: u64) -> Duration {
    let attempt_seconds = bytes.div_ceil(SLOWEST_BYTES_PER_SECOND);
    Duration::from_secs(PATIENCE_SECONDS + attempt_seconds.saturating_mul(SLOWEST_ATTEMPTS))
}

/// The lifetime of the URL of a part.
///
/// S3 checks a URL when the request begins, so what counts is how long the part waits for its turn:
/// the time that it and the `bytes_before` it in the same batch take on a link of
/// `bits_per_second`, times `MARGIN`, kept within `seconds`.
pub fn url_lifetime(bytes_before: u64, bytes: u64, bits_per_second: u64, seconds: &RangeInclusive<u64>) -> Duration {
    let bits = u128::from(bytes_before.saturating_add(bytes)) * 8;
    let reckoned = bits.div_ceil(u128::from(bits_per_second.max(1))) * u128::from(MARGIN);
    let reckoned = u64::try_from(reckoned).unwrap_or(u64::MAX);
    Duration::from_secs(reckoned.clamp(*seconds.start(), *seconds.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use directput::protocol::NetworkHint;

    const MIB: u64 = 1 << 20;
    const RANGE: RangeInclusive<u64> = 60..=300;

    fn seconds(bytes_before: u64, bytes: u64, network: NetworkHint) -> u64 {
        url_lifetime(bytes_before, bytes, network.bits_per_second(), &RANGE).as_secs()
    }

    #[test]
    fn a_fast_link_gets_the_shortest_lifetime() {
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::Ethernet), 60);
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::Wifi), 60);
        assert_eq!(seconds(0, 0, NetworkHint::Slow2g), 60);
    }

    #[test]
    fn a_slow_link_gets_what_it_needs_up_to_the_limit() {
        // 8 MiB at 1 Mbit/s are 67.1 s.
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::Unknown), 204);
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G3), 204);
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G2), 300);
        assert_eq!(seconds(0, u64::MAX, NetworkHint::Slow2g), 300);
    }

    #[test]
    fn a_part_that_waits_for_others_gets_their_time_too() {
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G4), 60);
        assert_eq!(seconds(9 * 8 * MIB, 8 * MIB, NetworkHint::G4), 204);
    }

    #[test]
    fn the_token_of_a_single_put_is_good_for_minutes_and_for_its_retries_on_a_slow_link() {
        assert_eq!(single_put_lifetime(0).as_secs(), 15 * 60);
        assert_eq!(single_put_lifetime(1).as_secs(), 15 * 60 + 2);
        // 16 MiB at 64 kbit/s take 35 minutes.
        assert_eq!(single_put_lifetime(16 * MIB).as_secs(), 15 * 60 + 2 * 2_098);
    }

    #[test]
    fn an_absurd_speed_does_no_harm() {
        for speed in [0, 1, u64::MAX] {
            assert!(RANGE.contains(&url_lifetime(0, 8 * MIB, speed, &RANGE).as_secs()));
        }
    }
}
