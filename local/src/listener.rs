//! Accepts connections, answers their requests with a router, and closes idle connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::either::Either;

use crate::emulation::link::{Link, through};

/// Maximum time to receive the headers of a request, and maximum time that a connection may be idle.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(15);

/// Length of the receive buffer of a connection over an emulated link or to the sink, in bytes. The client counts bytes
/// in this buffer as sent, so a large buffer would hide the speed of an emulated link. The sink is slower with a large
/// buffer, because the processor's cache no longer has the bytes when they are read.
const RECEIVE_BUFFER_BYTES: u32 = 128 << 10;

/// A TCP listener, optionally behind an emulated link.
pub struct Listener {
    listener: TcpListener,
    link: Option<Arc<Link>>,
}

impl Listener {
    /// Listens at `address`. The receive buffer is small if there is a link or `has_small_buffer` is set.
    ///
    /// # Errors
    /// The address is taken or not one of this machine.
    pub fn bind(address: SocketAddr, link: Option<Arc<Link>>, has_small_buffer: bool) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        if has_small_buffer || link.is_some() {
            socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        }
        socket.bind(address)?;
        Ok(Self { listener: socket.listen(1_024)?, link })
    }

    /// Returns the address at which the listener accepts connections.
    ///
    /// # Errors
    /// The operating system does not report the address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests with the router until `stopped` changes. Then completes the requests that have begun.
    pub async fn serve(mut self, router: Router, mut stopped: watch::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT);
        loop {
            let stream = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stopped.changed() => break,
            };
            let service = TowerToHyperService::new(router.clone());
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
            // The connection's error is dropped, because it affects only this client.
            tokio::spawn(async move { drop(connection.await) });
        }
        graceful.shutdown().await;
    }

    async fn accept(&mut self) -> Either<TcpStream, DuplexStream> {
        let (stream, _) = axum::serve::Listener::accept(&mut self.listener).await;
        // With Nagle's algorithm, the last packet of an answer would wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        match &self.link {
            None => Either::Left(stream),
            Some(link) => Either::Right(through(stream, Arc::clone(link))),
        }
    }
}
