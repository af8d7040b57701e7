//! `directput check --endpoint URL`: speaks the protocol as a good and as a hostile client, and reports what an
//! implementation of the API or a bucket does wrong.
//!
//! Each check is a function that returns a [`report::Found`]. A module has the checks of one subject.

mod api_cors;
mod batch;
mod binding;
mod bucket_cors;
mod clock;
mod completion;
mod connection;
mod cors;
mod keys;
mod multipart;
mod names;
mod opened;
mod privacy;
mod probe;
mod put;
mod refusals;
mod report;
mod resolve;
mod tokens;

use clap::Args;
use reqwest::Url;
use reqwest::header::HeaderMap;

use self::binding::Expiring;
use self::names::between;
use self::probe::Probe;
use self::report::Report;

/// Options of `directput check`.
#[derive(Debug, Args)]
pub struct CheckFlags {
    /// URL of the signing API, such as https://api.example.com/uploads.
    #[arg(long, env = "DIRECTPUT_ENDPOINT", value_name = "URL")]
    endpoint: Url,
    /// Origin of the page that uploads, such as https://app.example. Default: the endpoint's own origin, which needs no
    /// CORS rule of the API.
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    origin: Option<String>,
    /// Header of every call of the API, such as "authorization: Bearer …". May be repeated. Never sent to the bucket.
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// Header `authorization`. Other users can see this option in the list of processes, but not the environment
    /// variable.
    #[arg(long, env = "DIRECTPUT_AUTHORIZATION", value_name = "VALUE", hide_env_values = true)]
    pub authorization: Option<String>,
    /// Skip uploads in parts, which send 8 MiB or more, because S3's smallest part has 5 MiB.
    #[arg(long)]
    quick: bool,
    /// Wait until a URL expires, up to 10 minutes, to check that the bucket then refuses it.
    #[arg(long)]
    wait_for_expiry: bool,
    /// Print one JSON object in place of lines.
    #[arg(long)]
    json: bool,
}

/// Reads an origin: scheme, host and port.
fn parse_origin(text: &str) -> Result<String, &'static str> {
    let expected = "expected an origin such as https://app.example, without a path";
    let url = Url::parse(text).map_err(|_| expected)?;
    let origin = url.origin().ascii_serialization();
    let is_origin =
        matches!(url.scheme(), "http" | "https") && text.trim_end_matches('/').eq_ignore_ascii_case(&origin);
    if is_origin { Ok(origin) } else { Err(expected) }
}

/// Makes all checks and prints the report. Every call of the API has `headers`. Returns whether no check has failed.
///
/// # Errors
/// The HTTP client can't be built.
pub async fn check(flags: CheckFlags, headers: HeaderMap) -> reqwest::Result<bool> {
    let mut probe = Probe::new(flags.endpoint.clone(), flags.origin.clone(), headers)?;
    let mut report = Report::new(!flags.json);
    run(&flags, &mut probe, &mut report).await;
    report.skip_rest("needs an earlier check that failed or was skipped");
    // The query and the user part of the endpoint may have secrets.
    let endpoint = format!("{}{}", probe.url.origin().ascii_serialization(), probe.url.path());
    report.print_end(&endpoint, &probe.origin, &probe.left());
    Ok(!report.has_failed())
}

async fn run(flags: &CheckFlags, probe: &mut Probe, report: &mut Report) {
    let Some(first) = connection::run(probe, report).await else { return };
    let probe = &*probe;
    let expiring = Expiring::open(probe, flags.wait_for_expiry).await;
    api_cors::run(probe, report, &first).await;
    bucket_cors::run(probe, report, &first).await;
    binding::run(probe, report, &first).await;
    let answer = binding::put(probe, report, &first).await;
    if let Some(put) = first.upload.puts.first() {
        bucket_cors::run_after(probe, report, put, answer.as_ref());
    }
    binding::run_after(probe, report, &first, answer.is_some()).await;
    privacy::run(probe, report, &first, answer.is_some()).await;
    keys::run(probe, report, &first).await;
    tokens::run(probe, report).await;
    refusals::run(probe, report).await;
    batch::run(probe, report, &first).await;
    probe.abandon(&first.upload).await;
    if flags.quick {
        report.skip(between("multipart-opening", "abort-repeated"), "--quick");
    } else {
        if let Some(file) = multipart::run(probe, report).await {
            completion::run(probe, report, &file).await;
        }
        completion::run_abort(probe, report).await;
    }
    let expiry = match expiring {
        Ok(expiring) => expiring.check(probe).await,
        Err(finding) => Err(finding),
    };
    report.add("url-expiry", expiry);
}
