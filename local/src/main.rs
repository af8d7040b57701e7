//! `directput-local`: serves until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use directput_local::{Auth, Fault, LinkSpeed, Options, Server};
use tokio::io::AsyncReadExt;

/// The demo page and the signing API at one address, an S3 server at another.
///
/// The environment variables of the Lambda function (MAX_FILE_BYTES, ALLOWED_TYPES, …) count here too.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Where the page and the API listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the S3 server listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    s3_listen: SocketAddr,
    /// The S3 address that browsers are told, if something stands in front of it.
    #[arg(long, value_name = "URL")]
    s3_url: Option<String>,
    /// Number of names under which browsers reach the S3 server, each with connections of its own: its address,
    /// a.localhost, b.localhost and so on. Browsers find them on this machine.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with_all = ["s3_url", "use_s3"])]
    lanes: u8,
    /// Use this S3 server instead of an own one; BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for
    /// temporary keys, AWS_SESSION_TOKEN in the environment say the rest. Its bucket needs a CORS rule for the page.
    #[arg(long, value_name = "URL", conflicts_with_all = ["s3_url", "discard", "link"])]
    use_s3: Option<String>,
    /// The folder for objects, unfinished uploads and credentials.
    #[arg(long, default_value = ".data")]
    data: PathBuf,
    /// The folder of the demo page.
    #[arg(long, default_value = "www")]
    www: PathBuf,
    /// The folder of the npm package, which the page loads from /directput/.
    #[arg(long, default_value = "pkg")]
    package: PathBuf,
    /// Another origin whose pages may upload, besides the demo page's own. May be repeated. Requests for its host are
    /// answered too; those for any other host that is no address are refused.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Let only those call the API who have a JWT that is signed with this: jwks:<file>, hs256-file:<file>,
    /// hs256-env:<variable> or, where all processes of this machine may see it, hs256:<secret>.
    #[arg(long, value_name = "KEYS")]
    auth: Option<Auth>,
    /// Take only JWTs of this issuer.
    #[arg(long, value_name = "URL", requires = "auth")]
    auth_issuer: Option<String>,
    /// Take only JWTs for this audience.
    #[arg(long, value_name = "NAME", requires = "auth")]
    auth_audience: Option<String>,
    /// Let something go wrong on purpose, such as {"on":"put","status":503,"every":3}. May be repeated.
    #[arg(long, value_name = "JSON")]
    fault: Vec<Fault>,
    /// Let tests change the faults by PUT /-/faults and read counters at /-/counts. Whoever reaches the page can.
    #[arg(long)]
    control: bool,
    /// Throw everything away that is uploaded, check nothing, and let any script run in the page: to measure how fast
    /// clients are.
    #[arg(long)]
    discard: bool,
    /// Put a slow link in front, such as {"bitsPerSecond":10000000,"roundTripMs":200}.
    #[arg(long, value_name = "JSON")]
    link: Option<LinkSpeed>,
    /// Stop when standard input ends, so that a test's server goes when the test does.
    #[arg(long)]
    exit_with_stdin: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    directput_lambda::log_as_json();
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
    server.serve(until_told(flags.exit_with_stdin)).await;
    Ok(())
}

/// The one line that scripts wait for.
#[allow(clippy::print_stdout)]
fn announce(server: &Server) {
    println!("{}", server.ready_line());
}

/// Waits for Ctrl-C, a TERM signal or, if that counts, the end of standard input.
async fn until_told(exit_with_stdin: bool) {
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
