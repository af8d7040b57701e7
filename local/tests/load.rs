//! Load tests. A thousand clients for half a minute get no errors, and memory does not grow. Clients that keep
//! connections open or send too much do not delay other clients.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream as Blocking;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const CLIENTS: usize = 1_000;
const LOAD: Duration = Duration::from_secs(30);
/// Time from the start until memory is measured first. By then, buffers have reached their full size.
const WARM: Duration = Duration::from_secs(15);
const MIB: u64 = 1 << 20;

/// The server in its own process, so that its memory can be measured.
struct Process {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Process {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = ["--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--exit-with-stdin"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_directput-local"))
            .args(free)
            .arg("--data")
            .arg(folder.path())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let page = line.split("page=http://").nth(1).unwrap().split(' ').next().unwrap();
        Self { address: page.to_owned(), child, _folder: folder }
    }

    /// Returns the private memory of the process, in bytes (Linux, proc(5), `RssAnon`).
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A keep-alive connection.
struct Client {
    stream: TcpStream,
    host: String,
}

impl Client {
    async fn connect(address: &str) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), host: address.to_owned() }
    }

    async fn call(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nupload-token: {token}\r\n\
             content-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        let end = loop {
            assert_ne!(self.stream.read_buf(&mut reply).await.unwrap(), 0, "the connection was closed");
            if let Some(end) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8(reply[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |text| text.parse::<usize>().unwrap());
        while reply.len() < end + length {
            assert_ne!(self.stream.read_buf(&mut reply).await.unwrap(), 0, "the connection was closed");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_slice(&reply[end..]).unwrap_or_default())
    }

    /// Opens an upload and asks for a signature for its first part. Each tenth upload is a multipart upload, which is
    /// also listed and aborted. Returns the number of calls.
    async fn upload(&mut self, round: usize) -> usize {
        let is_large = round.is_multiple_of(10);
        let size: u64 = if is_large { 20 << 20 } else { 1_000 };
        let checksum = "LXEWQrcmsEQBYnyp++6wy9chTD7GQPMTbAiWHF5IaSI=";
        let part = json!({ "number": 1, "length": size.min(8 << 20), "checksum": checksum });
        let file = json!({ "name": "a.bin", "type": "image/png", "size": size, "parts": [part] });
        let (status, opened) = self.call("POST", "/uploads", "", &file).await;
        assert_eq!(status, 201, "{opened}");
        let token = opened["token"].as_str().unwrap();
        let (status, signed) = self.call("POST", "/uploads/parts", token, &json!({ "parts": [part] })).await;
        assert_eq!(status, 200, "{signed}");
        if !is_large {
            return 2;
        }
        assert_eq!(self.call("GET", "/uploads/parts", token, &Value::Null).await.0, 200);
        assert_eq!(self.call("DELETE", "/uploads", token, &Value::Null).await.0, 204);
        4
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_get_no_errors_and_memory_does_not_grow() {
    let server = Process::start();
    let calls: &AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
    let slowest: &AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
    let until = Instant::now() + LOAD;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|index| {
            let address = server.address.clone();
            tokio::spawn(async move {
                let mut client = Client::connect(&address).await;
                for round in index.. {
                    let begun = Instant::now();
                    if begun > until {
                        break;
                    }
                    calls.fetch_add(client.upload(round).await as u64, Ordering::Relaxed);
                    slowest.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
                }
            })
        })
        .collect();
    sleep(WARM).await;
    let warm = server.memory();
    for client in clients {
        client.await.unwrap();
    }
    let end = server.memory();
    println!(
        "{CLIENTS} clients, {} calls in {} s, slowest upload {} ms, memory {} MiB after {} s and {} MiB at the end",
        calls.load(Ordering::Relaxed),
        LOAD.as_secs(),
        slowest.load(Ordering::Relaxed),
        warm / MIB,
        WARM.as_secs(),
        end / MIB
    );
    assert!(calls.load(Ordering::Relaxed) > CLIENTS as u64 * 4, "too few calls for a load test");
    // In a measurement, memory grew by a sixth within two minutes and then stayed constant. A leak of 512 bytes for
    // each call would exceed the limit.
    assert!(end < warm + warm * 15 / 100, "memory grows: {warm} to {end} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_lose_their_connections_and_delay_no_other_client() {
    let server = Process::start();
    let head = format!("POST /uploads HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", server.address);
    let body = format!("{head}content-length: 1000\r\n\r\n");
    // A hundred connections send endless headers, a hundred an endless body, and a hundred nothing.
    let kinds = [(head, "x-a: b\r\n", 20), (body, " ", 35), (String::new(), "", 20)];
    let slow: Vec<_> = kinds
        .into_iter()
        .cycle()
        .take(300)
        .map(|(start, more, seconds)| tokio::spawn(trickle(server.address.clone(), start, more, seconds)))
        .collect();
    sleep(Duration::from_secs(1)).await;
    let mut honest = Client::connect(&server.address).await;
    let begun = Instant::now();
    honest.upload(1).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "an honest client waited for {:?}", begun.elapsed());
    for (index, client) in slow.into_iter().enumerate() {
        let answer = client.await.unwrap();
        let answer = answer.unwrap_or_else(|| panic!("a connection of kind {} was not closed", index % 3));
        assert_eq!(answer.starts_with("HTTP/1.1 408"), index % 3 == 1, "{answer}");
    }
}

/// Sends `start`, the start of a request, and then `more` every second. Returns the server's answer, or `None` if the
/// server does not close the connection within `seconds`.
async fn trickle(address: String, start: String, more: &'static str, seconds: u64) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let send = async {
        while to.write_all(more.as_bytes()).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let read = async {
        // An error is ignored, because a reset closes the connection too.
        let _ = from.read_to_end(&mut answer).await;
    };
    tokio::select! {
        closed = timeout(Duration::from_secs(seconds), read) => closed.ok()?,
        () = send => {}
    }
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_has_arrived() {
    let server = Process::start();
    for (length, framing) in [("content-length: 10737418240", false), ("transfer-encoding: chunked", true)] {
        let mut stream = Blocking::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST /uploads HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{length}\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let block = [b' '; 1 << 16];
        let mut sent = 0;
        let send = |stream: &mut Blocking| {
            if framing {
                stream.write_all(b"10000\r\n")?;
            }
            stream.write_all(&block)?;
            if framing { stream.write_all(b"\r\n") } else { Ok(()) }
        };
        while sent < 64 * MIB && send(&mut stream).is_ok() {
            sent += block.len() as u64;
        }
        // The limit leaves room for bytes in the sockets' buffers, which `write_all` counts as sent.
        assert!(sent < 16 * MIB, "{length}: {sent} bytes were accepted");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}
