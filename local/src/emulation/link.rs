//! Emulates a slow link. Bytes arrive after half a round-trip time, and all connections share one bandwidth. Each connection
//! can have a limit of its own and lose packets.
//!
//! The flag `--link` puts the link in front of both listeners, so API calls and PUTs compete for the bandwidth, as they
//! do on a user's link. The server reads from the connections only at the speed of the link, so TCP's flow control
//! slows the clients down.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::window::Window;

/// Maximum idle time whose bandwidth a connection may use afterwards. Timers can fire late. Without this time, a late
/// timer would lower the speed of the link.
const BURST: Duration = Duration::from_millis(10);

/// Maximum number of pieces that are delayed at the same time, for each connection and direction.
const MAX_PIECES: usize = 1_024;

/// Speed and delay of a link.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkSpeed {
    /// Speed of all connections together towards the server, in bit/s, at least 1.
    bits_per_second: u64,
    /// Round-trip time, in milliseconds.
    #[serde(default)]
    round_trip_ms: u64,
    /// Maximum speed of each connection towards the server, in bit/s, from 1. Default: no limit.
    #[serde(default)]
    connection_bits_per_second: Option<u64>,
    /// Lost share of the packets towards the server, from 0 to 50 %. Default: 0 %. Each loss halves the congestion window of
    /// its connection.
    #[serde(default)]
    loss_percent: f64,
}

impl LinkSpeed {
    pub(super) fn round_trip_seconds(&self) -> f64 {
        Duration::from_millis(self.round_trip_ms).as_secs_f64()
    }

    /// Returns the maximum speed of a connection, in byte/s; infinite without a limit.
    pub(super) fn connection_bytes_per_second(&self) -> f64 {
        self.connection_bits_per_second.map_or(f64::INFINITY, |bits| bits as f64 / 8.0)
    }

    pub(super) fn loses(&self) -> bool {
        self.loss_percent > 0.0
    }

    /// Returns the mean number of packets between two losses; infinite without losses.
    pub(super) fn packets_for_each_loss(&self) -> f64 {
        100.0 / self.loss_percent
    }
}

impl std::str::FromStr for LinkSpeed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let speed: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if speed.bits_per_second == 0 {
            return Err("bitsPerSecond: expected a whole number from 1".to_owned());
        }
        if speed.connection_bits_per_second == Some(0) {
            return Err("connectionBitsPerSecond: expected a whole number from 1".to_owned());
        }
        if !(0.0..=50.0).contains(&speed.loss_percent) {
            return Err("lossPercent: expected a number from 0 to 50".to_owned());
        }
        Ok(speed)
    }
}

/// A link that the connections of all listeners share.
#[derive(Debug)]
pub struct Link {
    speed: LinkSpeed,
    /// Time at which the link has carried all bytes that wait for it.
    free_at: Mutex<Instant>,
    /// Number of connections so far.
    connections: AtomicU32,
}

impl Link {
    /// Returns an idle link.
    pub fn new(speed: LinkSpeed) -> Arc<Self> {
        Arc::new(Self { speed, free_at: Mutex::new(Instant::now()), connections: AtomicU32::new(0) })
    }

    fn half_trip(&self) -> Duration {
        Duration::from_millis(self.speed.round_trip_ms) / 2
    }

    /// Returns the maximum length of one read, in bytes. The link carries one read in about 2 ms, so that no connection
    /// blocks the others.
    fn piece_bytes(&self) -> usize {
        (self.speed.bits_per_second / 8 / 500).clamp(1 << 12, 1 << 16) as usize
    }

    /// Waits until the link has carried `bytes` bytes.
    async fn carry(&self, bytes: usize) {
        let cost = Duration::from_secs_f64(bytes as f64 * 8.0 / self.speed.bits_per_second as f64);
        let until = book(&mut self.free_at.lock().unwrap_or_else(PoisonError::into_inner), cost);
        tokio::time::sleep_until(until).await;
    }
}

/// Books `cost` of a carrier that is busy until `free_at`. Returns the time at which the carrier is free again.
fn book(free_at: &mut Instant, cost: Duration) -> Instant {
    let now = Instant::now();
    *free_at = (*free_at).max(now.checked_sub(BURST).unwrap_or(now)) + cost;
    *free_at
}

/// One connection of a link, towards the server.
struct Connection {
    window: Window,
    /// Time at which the connection has sent all bytes that it has accepted.
    free_at: Instant,
}

impl Connection {
    /// Waits until this connection may send `bytes` bytes, and has sent them.
    async fn send(&mut self, bytes: usize) {
        let cost = Duration::from_secs_f64(bytes as f64 / self.window.bytes_per_second());
        let until = book(&mut self.free_at, cost);
        self.window.sent(bytes);
        tokio::time::sleep_until(until).await;
    }
}

/// Puts the link between a client and the server. Returns the server's end of the link.
pub fn through(stream: TcpStream, link: Arc<Link>) -> DuplexStream {
    let (near, far) = duplex(1 << 18);
    tokio::spawn(async move {
        let (from_client, to_client) = stream.into_split();
        let (from_server, to_server) = split(near);
        // On a real link, the handshake takes one round trip before the client can send its first byte.
        let up = async {
            tokio::time::sleep(2 * link.half_trip()).await;
            let number = link.connections.fetch_add(1, Ordering::Relaxed);
            let connection = Connection { window: Window::new(link.speed, number), free_at: Instant::now() };
            carry_all(from_client, to_server, &link, Some(connection)).await
        };
        let down = carry_all(from_server, to_client, &link, None);
        // After the server has closed its end, the link drops the client's bytes.
        tokio::pin!(up, down);
        tokio::select! {
            _ = &mut down => {}
            _ = &mut up => drop(down.await),
        }
    });
    far
}

/// Moves bytes from one end to the other, with a delay of half a round-trip time. With a `connection`, the bytes use the
/// bandwidth of the connection and of the link.
async fn carry_all(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &Link,
    mut connection: Option<Connection>,
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(MAX_PIECES);
    let read = async move {
        loop {
            let mut piece = vec![0; link.piece_bytes()];
            let length = from.read(&mut piece).await?;
            if length == 0 {
                return Ok::<_, io::Error>(());
            }
            piece.truncate(length);
            if let Some(connection) = &mut connection {
                connection.send(length).await;
                link.carry(length).await;
            }
            if sender.send((Instant::now() + link.half_trip(), piece)).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((at, piece)) = receiver.recv().await {
            tokio::time::sleep_until(at).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(drop)
}
