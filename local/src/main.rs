//! `directput-local`: serves until a signal or the end of standard input stops it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use directput_local::{Auth, Fault, LinkSpeed, Options, Server};
use directput_server::host::log_as_json_to;
use tokio::io::AsyncReadExt;

/// Serves the demo page and the signing API at one address, and an S3 server at another.
///
/// The environment variables of the Lambda function (MAX_FILE_BYTES, ALLOWED_TYPES, …) also configure this server.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Address of the page and the API. Port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the S3 server. Port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:8081")]
    s3_listen: SocketAddr,
    /// URL at which browsers reach the S3 server, if it is behind a proxy.
    #[arg(long, value_name = "URL")]
    s3_url: Option<String>,
    /// Number of host names under which browsers reach the S3 server: its address, a.localhost, b.localhost and so on.
    /// Browsers open separate connections to each name. All names resolve to this machine.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with_all = ["s3_url", "use_s3"])]
    lanes: u8,
    /// Use this S3 server instead of the embedded one. Set BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
    /// and, for temporary keys, AWS_SESSION_TOKEN in the environment. Its bucket needs a CORS rule for the page.
    #[arg(long, value_name = "URL", conflicts_with_all = ["s3_url", "discard", "link"])]
    use_s3: Option<String>,
    /// Folder for objects, unfinished uploads and credentials.
    #[arg(long, default_value = ".data")]
    data: PathBuf,
    /// Folder of the demo page.
    #[arg(long, default_value = "www")]
    www: PathBuf,
    /// Folder of the npm package, which the page loads from /directput/.
    #[arg(long, default_value = "pkg")]
    package: PathBuf,
    /// Another origin whose pages may upload, besides the demo page. May be repeated. The server also answers requests
    /// for the host of that origin. It refuses requests for all other host names.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Accept only API calls with a JWT that is signed with one of these keys: jwks:<file>, hs256-file:<file>,
    /// hs256-env:<variable>, or hs256:<secret>, which all processes of this machine can read.
    #[arg(long, value_name = "KEYS")]
    auth: Option<Auth>,
    /// Accept only JWTs of this issuer.
    #[arg(long, value_name = "URL", requires = "auth")]
    auth_issuer: Option<String>,
    /// Accept only JWTs for this audience.
    #[arg(long, value_name = "NAME", requires = "auth")]
    auth_audience: Option<String>,
    /// Inject a fault, such as {"on":"put","status":503,"every":3}. May be repeated.
    #[arg(long, value_name = "JSON")]
    fault: Vec<Fault>,
    /// Let clients change the faults with PUT /-/faults and read counters at /-/counts, for tests. Every client that
    /// reaches the page can do this.
    #[arg(long)]
    control: bool,
    /// Discard uploaded bytes, check nothing, and allow every script in the page, to measure the speed of clients.
    #[arg(long)]
    discard: bool,
    /// Emulate a slow link, such as {"bitsPerSecond":10000000,"roundTripMs":200}.
    #[arg(long, value_name = "JSON")]
    link: Option<LinkSpeed>,
    /// Stop when standard input ends, so that the server of a test stops with the test.
    #[arg(long)]
    exit_with_stdin: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    log_as_json_to(std::io::stderr, "info", None);
    match run(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("directput-local: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Server::start(Options {
        listen: flags.listen,
        s3_listen: flags.s3_listen,
        s3_url: flags.s3_url,
        lanes: flags.lanes,
        use_s3: flags.use_s3,
        data: flags.data,
        www: flags.www,
        package: flags.package,
        allow_origin: flags.allow_origin,
        auth: flags.auth.map(|auth| auth.only(flags.auth_issuer, flags.auth_audience)),
        faults: flags.fault,
        control: flags.control,
        discard: flags.discard,
        link: flags.link,
        settings: Box::new(|name| std::env::var(name).ok()),
    })
    .await?;
    announce(&server);
    server.serve(until_stopped(flags.exit_with_stdin)).await;
    Ok(())
}

/// Prints the line that scripts wait for.
#[allow(clippy::print_stdout)]
fn announce(server: &Server) {
    println!("{}", server.ready_line());
}

/// Waits for Ctrl-C, a TERM signal or, if `exit_with_stdin` is set, the end of standard input.
async fn until_stopped(exit_with_stdin: bool) {
    let stdin_ends = async {
        if !exit_with_stdin {
            std::future::pending::<()>().await;
        }
        let mut buffer = [0; 256];
        while matches!(tokio::io::stdin().read(&mut buffer).await, Ok(1..)) {}
    };
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
        () = stdin_ends => {}
    }
}
