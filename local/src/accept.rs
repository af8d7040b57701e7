//! Serves the connections of one listener, and gives up on those that are held open without asking for anything.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::link::Door;

/// How long a request's headers may take from their first byte, or an idle connection stay open.
const HEADERS: Duration = Duration::from_secs(15);

/// Serves until `told`, then until every request under way is answered.
pub async fn serve(mut door: Door, router: Router, mut told: watch::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    loop {
        let stream = tokio::select! {
            accepted = door.accept() => accepted,
            _ = told.changed() => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        // A connection that breaks concerns nobody but its client.
        tokio::spawn(async move { drop(connection.await) });
    }
    graceful.shutdown().await;
}
