//! Emulates a slow link. Bytes arrive after half a round-trip time, and all connections share one bandwidth.
//!
//! The flag `--link` puts the link in front of both listeners, so API calls and PUTs compete for the bandwidth, as they
//! do on a user's link. The server reads from the connections only at the speed of the link, so TCP's flow control
//! slows the clients down. Slow start and packet loss are not emulated.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Maximum idle time whose bandwidth a connection may use afterwards. Timers can fire late. Without this time, a late
/// timer would lower the speed of the link.
const BURST: Duration = Duration::from_millis(10);

/// Maximum number of pieces that are delayed at the same time, for each connection and direction.
const MAX_PIECES: usize = 1_024;

/// Speed and delay of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkSpeed {
    /// Speed of all connections together towards the server, in bit/s, at least 1.
    bits_per_second: u64,
    /// Round-trip time, in milliseconds.
    #[serde(default)]
    round_trip_ms: u64,
}

impl std::str::FromStr for LinkSpeed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let speed: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match speed.bits_per_second {
            0 => Err("bitsPerSecond: expected a whole number from 1".to_owned()),
            _ => Ok(speed),
        }
    }
}

/// A link that the connections of all listeners share.
#[derive(Debug)]
pub struct Link {
    speed: LinkSpeed,
    free_at: Mutex<Instant>,
}

impl Link {
    /// Returns an idle link.
    pub fn new(speed: LinkSpeed) -> Arc<Self> {
        Arc::new(Self { speed, free_at: Mutex::new(Instant::now()) })
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
        let until = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            *free_at = (*free_at).max(now.checked_sub(BURST).unwrap_or(now)) + cost;
            *free_at
        };
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
            carry_all(from_client, to_server, &link, true).await
        };
        let down = carry_all(from_server, to_client, &link, false);
        // After the server has closed its end, the link drops the client's bytes.
        tokio::pin!(up, down);
        tokio::select! {
            _ = &mut down => {}
            _ = &mut up => drop(down.await),
        }
    });
    far
}

/// Moves bytes from one end to the other, with a delay of half a round-trip time. If `is_metered` is set, the bytes use
/// the link's bandwidth.
async fn carry_all(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &Link,
    is_metered: bool,
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
            if is_metered {
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
