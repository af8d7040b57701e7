//! Speed of one connection of an emulated link: a fixed limit, and a congestion window that lost packets shrink.

use super::link::LinkSpeed;

/// Length of a packet's data, in bytes: Ethernet's 1,500 without the headers of IPv4 and TCP with timestamps.
const PACKET_BYTES: f64 = 1_448.0;

/// Initial congestion window, in packets (RFC 6928).
const FIRST_PACKETS: f64 = 10.0;

/// Least congestion window, in packets (RFC 5681, section 3.1).
const LEAST_PACKETS: f64 = 2.0;

/// The congestion window of one connection (RFC 5681): it doubles in each round trip until the first loss, then grows by one
/// packet in each round trip. A loss halves it.
///
/// Losses are periodic, so runs can be repeated. Retransmissions are not emulated: they are as rare as losses.
#[derive(Debug)]
pub struct Window {
    speed: LinkSpeed,
    /// Window, in packets.
    packets: f64,
    has_lost: bool,
    /// Packets until the next one is lost.
    until_loss: f64,
}

impl Window {
    /// Returns the window of a new connection. `number` differs for each connection, so that they do not lose packets
    /// together.
    pub fn new(speed: LinkSpeed, number: u32) -> Self {
        let phase = f64::from(number % 16 + 1) / 16.0;
        Self { speed, packets: FIRST_PACKETS, has_lost: false, until_loss: speed.packets_for_each_loss() * phase }
    }

    /// Returns the present speed, in byte/s; infinite without a limit.
    pub fn bytes_per_second(&self) -> f64 {
        let limit = self.speed.connection_bytes_per_second();
        if !self.speed.loses() {
            return limit;
        }
        (self.packets * PACKET_BYTES / self.speed.round_trip_seconds()).min(limit)
    }

    /// Records that `bytes` bytes have left.
    pub fn sent(&mut self, bytes: usize) {
        let packets = bytes as f64 / PACKET_BYTES;
        self.packets += if self.has_lost { packets / self.packets } else { packets };
        self.until_loss -= packets;
        while self.until_loss <= 0.0 {
            self.until_loss += self.speed.packets_for_each_loss();
            self.packets = (self.packets / 2.0).max(LEAST_PACKETS);
            self.has_lost = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the mean speed of a connection for the last half of `bytes`, in bit/s.
    fn speed(link: &str, bytes: usize) -> f64 {
        let mut window = Window::new(link.parse().expect("a valid link"), 0);
        let (mut seconds, mut counted) = (0.0, 0);
        for at in (0..bytes).step_by(4_096) {
            if at > bytes / 2 {
                seconds += 4_096.0 / window.bytes_per_second();
                counted += 4_096;
            }
            window.sent(4_096);
        }
        f64::from(counted) * 8.0 / seconds
    }

    #[test]
    fn a_connection_has_the_limit_of_the_link() {
        let limited =
            speed(r#"{"bitsPerSecond":1000000000,"roundTripMs":50,"connectionBitsPerSecond":20000000}"#, 1 << 20);
        assert!((limited / 20e6 - 1.0).abs() < 0.01, "{limited}");
        assert_eq!(speed(r#"{"bitsPerSecond":1000}"#, 1 << 20), f64::INFINITY);
    }

    #[test]
    fn losses_limit_the_speed_as_the_law_of_mathis_says() {
        // Mathis and others, "The macroscopic behavior of the TCP congestion avoidance algorithm" (1997): a packet for each round
        // trip, times the root of 3/2 over the loss.
        for (loss, round_trip_ms) in [(1.0, 50), (0.1, 100)] {
            let link = format!(r#"{{"bitsPerSecond":1000000000,"roundTripMs":{round_trip_ms},"lossPercent":{loss}}}"#);
            let expected = PACKET_BYTES * 8.0 / (f64::from(round_trip_ms) / 1e3) * (150.0_f64 / loss).sqrt();
            let measured = speed(&link, 64 << 20);
            assert!((0.8..1.25).contains(&(measured / expected)), "{loss} %: {measured} instead of {expected} bit/s");
        }
    }

    #[test]
    fn before_the_first_loss_the_window_doubles_in_each_round_trip() {
        let mut window = Window::new(
            r#"{"bitsPerSecond":1,"roundTripMs":100,"lossPercent":0.01}"#.parse().expect("a valid link"),
            7,
        );
        let before = window.bytes_per_second();
        window.sent((FIRST_PACKETS * PACKET_BYTES) as usize);
        assert!((window.bytes_per_second() / before - 2.0).abs() < 0.01);
    }
}
