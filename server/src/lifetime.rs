//! Lifetimes of presigned URLs and of the tokens of single PUTs.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Factor by which a URL's lifetime exceeds the estimated time until its part is sent. Links are often slower than the
/// speed in the estimate.
const MARGIN: u64 = 3;

/// Speed of the slowest supported link, in byte/s: 64 kbit/s (`docs/reliability.md`).
const SLOWEST_BYTES_PER_SECOND: u64 = 8_000;

/// Number of whole attempts of a single PUT that a token's lifetime covers on the slowest link. Attempts without
/// progress take less time, because the client aborts them.
const SLOWEST_ATTEMPTS: u64 = 2;

/// Time without success after which the client ends an upload, in seconds (`docs/reliability.md`, "Budgets").
const PATIENCE_SECONDS: u64 = 15 * 60;

/// Returns the lifetime of the token of a single PUT of `bytes` bytes. The lifetime covers the retries on the slowest
/// link, because the client needs the token to have an expired URL signed again.
pub fn single_put_lifetime(bytes: u64) -> Duration {
    let attempt_seconds = bytes.div_ceil(SLOWEST_BYTES_PER_SECOND);
    Duration::from_secs(PATIENCE_SECONDS + attempt_seconds.saturating_mul(SLOWEST_ATTEMPTS))
}

/// Returns the lifetime of the URL of a part of `bytes` bytes.
///
/// S3 checks a URL's expiry only when a request begins, so the lifetime must cover the time until the PUT begins. The
/// estimated time is the time in which a link of `bits_per_second` sends the part and the `bytes_before` bytes before
/// it. The lifetime is the estimated time multiplied by `MARGIN`, limited to the range `seconds`.
pub fn url_lifetime(bytes_before: u64, bytes: u64, bits_per_second: u64, seconds: &RangeInclusive<u64>) -> Duration {
    let bits = u128::from(bytes_before.saturating_add(bytes)) * 8;
    let lifetime = bits.div_ceil(u128::from(bits_per_second.max(1))) * u128::from(MARGIN);
    let lifetime = u64::try_from(lifetime).unwrap_or(u64::MAX);
    Duration::from_secs(lifetime.clamp(*seconds.start(), *seconds.end()))
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
    fn a_slow_link_gets_a_longer_lifetime_up_to_the_limit() {
        // Sending 8 MiB at 1 Mbit/s takes 67.1 s, which is rounded up to 68 s.
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::Unknown), 204);
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G3), 204);
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G2), 300);
        assert_eq!(seconds(0, u64::MAX, NetworkHint::Slow2g), 300);
    }

    #[test]
    fn a_part_that_waits_for_others_gets_a_longer_lifetime() {
        assert_eq!(seconds(0, 8 * MIB, NetworkHint::G4), 60);
        assert_eq!(seconds(9 * 8 * MIB, 8 * MIB, NetworkHint::G4), 204);
    }

    #[test]
    fn the_token_of_a_single_put_lasts_for_its_retries_on_the_slowest_link() {
        assert_eq!(single_put_lifetime(0).as_secs(), 15 * 60);
        assert_eq!(single_put_lifetime(1).as_secs(), 15 * 60 + 2);
        // 16 MiB at 64 kbit/s take 35 minutes.
        assert_eq!(single_put_lifetime(16 * MIB).as_secs(), 15 * 60 + 2 * 2_098);
    }

    #[test]
    fn extreme_speeds_give_a_lifetime_within_the_range() {
        for speed in [0, 1, u64::MAX] {
            assert!(RANGE.contains(&url_lifetime(0, 8 * MIB, speed, &RANGE).as_secs()));
        }
    }
}
