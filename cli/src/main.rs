//! `directput put FILE --endpoint URL`: uploads a file with the engine of the browser module. After an interruption,
//! the same command resumes the upload. `directput check --endpoint URL`: checks an API and its bucket.

mod api;
mod check;
mod disk;
mod headers;
mod record_file;
mod screen;
mod storage;
mod upload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use directput::checksum::ChecksumAlgorithm;
use directput::engine::{Failure, Uploaded};
use directput::protocol::{ContentType, FileName, NetworkHint};
use reqwest::header::HeaderMap;

use crate::screen::{Screen, format_bytes};
use crate::upload::Ending;

/// Exit code of a program that Ctrl-C has ended: 128 plus the number of SIGINT.
const INTERRUPTED: u8 = 130;

const RESUME_HINT: &str = "Run the same command again to resume the upload.";

#[derive(Debug, Parser)]
#[command(name = "directput", version, about = "Verified uploads straight into a private S3 bucket")]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Upload a file. After Ctrl-C or a long network failure, run the same command again to resume the upload.
    Put(PutFlags),
    /// Check a signing API and its bucket as a good and as a hostile client, and report what to change. Stores a few
    /// small objects, which it names at the end. Exits with 1 if a check failed.
    Check(check::CheckFlags),
}

#[derive(Debug, Args)]
struct PutFlags {
    /// Path of the file, a pipe, or - for standard input. Piped input is read to its end first. --name gives its name.
    file: PathBuf,
    /// URL of the signing API, such as https://api.example.com/uploads.
    #[arg(long, env = "DIRECTPUT_ENDPOINT", value_name = "URL")]
    endpoint: reqwest::Url,
    /// Header of every call of the API, such as "authorization: Bearer …". May be repeated. Never sent to S3.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Header `authorization`. Other users can see this option in the list of processes, but not the environment
    /// variable.
    #[arg(long, env = "DIRECTPUT_AUTHORIZATION", value_name = "VALUE", hide_env_values = true)]
    authorization: Option<String>,
    /// Algorithm of the checksums: sha256, crc64nvme, crc64nvme-after or none.
    #[arg(long, default_value = "sha256", value_parser = named(ChecksumAlgorithm::parse))]
    checksum: ChecksumAlgorithm,
    /// Kind of network link: slow-2g, 2g, 3g, 4g, wifi, ethernet or unknown.
    #[arg(long, default_value = "unknown", value_parser = named(NetworkHint::parse))]
    network: NetworkHint,
    /// Maximum number of parts that are sent at once, from 1 to 64.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    parts_in_flight: u32,
    /// Seconds after which a PUT without progress is sent again, from 5 to 300.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=300))]
    stall_seconds: u64,
    /// File name in the metadata of the object. Default: the file's own name.
    #[arg(long, value_parser = |text: &str| FileName::parse(text).map_err(|_| "expected 1 to 1,024 bytes"))]
    name: Option<FileName>,
    /// Media type of the object. Default: the type of the file's extension.
    #[arg(long = "type", value_name = "TYPE",
        value_parser = |text: &str| ContentType::parse(text).map_err(|_| "expected a media type like image/png"))]
    content_type: Option<ContentType>,
    /// Remove an unfinished upload of this file and start again.
    #[arg(long)]
    restart: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// Returns a command-line parser for an option whose values are names. `parse` returns `None` for an unknown name.
fn named<T: Clone + Send + Sync + 'static>(parse: fn(&str) -> Option<T>) -> ValueParser {
    ValueParser::new(move |text: &str| parse(text).ok_or("unknown name"))
}

#[tokio::main]
async fn main() -> ExitCode {
    match Flags::parse().command {
        Command::Put(flags) => put(flags).await,
        Command::Check(flags) => check(flags).await,
    }
}

/// Returns the headers of every call of the API. Ends the program if an option is wrong.
fn headers_of(texts: &[String], authorization: Option<&str>) -> HeaderMap {
    headers::parse(texts, authorization)
        .unwrap_or_else(|message| Flags::command().error(ErrorKind::ValueValidation, message).exit())
}

async fn check(flags: check::CheckFlags) -> ExitCode {
    let headers = headers_of(&flags.header, flags.authorization.as_deref());
    match check::check(flags, headers).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("directput: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn put(flags: PutFlags) -> ExitCode {
    let (json, file) = (flags.json, flags.file.display().to_string());
    let headers = headers_of(&flags.header, flags.authorization.as_deref());
    let screen = Screen::new(flags.quiet);
    match upload::put(flags, headers, &screen).await {
        Ending::Stored(uploaded) => {
            screen.close();
            print_result(&uploaded, json);
            ExitCode::SUCCESS
        }
        Ending::Failed { failure, kept } => {
            screen.close();
            print_failure(&file, &failure, kept);
            ExitCode::FAILURE
        }
        Ending::Unreadable(error) => {
            screen.close();
            eprintln!("directput: {file}: {error}");
            ExitCode::FAILURE
        }
        Ending::Interrupted { kept } => {
            screen.close();
            let hint = if kept { RESUME_HINT } else { "Nothing was kept." };
            eprintln!("directput: {file}: interrupted. {hint}");
            ExitCode::from(INTERRUPTED)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result goes to standard output")]
fn print_result(uploaded: &Uploaded, json: bool) {
    if json {
        // Serialising plain data never fails.
        println!("{}", serde_json::to_string(uploaded).unwrap_or_default());
        return;
    }
    let unknown = || "-".to_owned();
    println!("key       {}", uploaded.key);
    println!("checksum  {}", uploaded.checksum.clone().unwrap_or_else(unknown));
    println!("etag      {}", uploaded.etag.clone().unwrap_or_else(unknown));
    println!("size      {} ({})", uploaded.size, format_bytes(uploaded.size as f64));
}

fn print_failure(file: &str, failure: &Failure, kept: bool) {
    let detail = failure.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
    eprintln!("directput: {file}: {}{detail}", failure.code.title());
    let status = if failure.status > 0 { format!(", status {}", failure.status) } else { String::new() };
    let request = failure.request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"));
    eprintln!("directput: code {}{status}{request}", failure.code.as_str());
    if kept {
        eprintln!("directput: {RESUME_HINT}");
    }
}
