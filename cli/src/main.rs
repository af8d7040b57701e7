//! `directput put FILE --endpoint URL`: the engine of the browser's uploads with another driver. It tests a deployment,
//! and goes on where it was when it is run again.

mod api;
mod disk;
mod kept;
mod shown;
mod storage;
mod upload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::ValueParser;
use clap::{Args, Parser, Subcommand};
use directput::checksum::ChecksumAlgorithm;
use directput::engine::{Failure, Uploaded};
use directput::protocol::{ContentType, FileName, NetworkHint};

use crate::shown::{Screen, bytes_in_words};
use crate::upload::Ending;

/// The exit code of a program that Ctrl-C has ended: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Parser)]
#[command(name = "directput", version, about = "Verified uploads straight into a private S3 bucket")]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Upload a file. After Ctrl-C, or when the network was gone for too long, the same command goes on where it was.
    Put(PutFlags),
}

#[derive(Debug, Args)]
struct PutFlags {
    /// The file; - or a pipe is read to its end first, and needs --name to have one.
    file: PathBuf,
    /// The address of the signing API, such as https://api.example.com/uploads.
    #[arg(long, env = "DIRECTPUT_ENDPOINT", value_name = "URL")]
    endpoint: reqwest::Url,
    /// A header for every call of the API, such as "authorization: Bearer …". May be repeated. It is never sent to S3.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// The header `authorization`; from the environment it is in no list of processes.
    #[arg(long, env = "DIRECTPUT_AUTHORIZATION", value_name = "VALUE", hide_env_values = true)]
    authorization: Option<String>,
    /// What the bytes are verified by: sha256, crc64nvme or none.
    #[arg(long, default_value = "sha256", value_parser = named(ChecksumAlgorithm::parse))]
    checksum: ChecksumAlgorithm,
    /// What is known of the link: slow-2g, 2g, 3g, 4g, wifi, ethernet or unknown.
    #[arg(long, default_value = "unknown", value_parser = named(NetworkHint::parse))]
    network: NetworkHint,
    /// How many parts are sent at once, from 1 to 64.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    parts_in_flight: u32,
    /// After how many seconds a PUT of which nothing is heard is made again, from 5 to 300.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=300))]
    stall_seconds: u64,
    /// The file's name for the metadata of the object, instead of its own.
    #[arg(long, value_parser = |text: &str| FileName::parse(text).map_err(|_| "expected 1 to 1,024 bytes"))]
    name: Option<FileName>,
    /// Its media type, instead of the one that its extension stands for.
    #[arg(long = "type", value_name = "TYPE",
        value_parser = |text: &str| ContentType::parse(text).map_err(|_| "expected a media type like image/png"))]
    content_type: Option<ContentType>,
    /// Remove what an earlier run has begun of this file, and begin anew.
    #[arg(long)]
    restart: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected a name, a colon and a value")?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    reqwest::header::HeaderName::try_from(&name).map_err(|error| error.to_string())?;
    reqwest::header::HeaderValue::try_from(&value).map_err(|error| error.to_string())?;
    Ok((name, value))
}

/// A parser of values that are one of some names.
fn named<T: Clone + Send + Sync + 'static>(parse: fn(&str) -> Option<T>) -> ValueParser {
    ValueParser::new(move |text: &str| parse(text).ok_or("there is no such name"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Put(flags) = Flags::parse().command;
    let (json, file) = (flags.json, flags.file.display().to_string());
    let screen = Screen::new(flags.quiet);
    match upload::put(flags, &screen).await {
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
            let words = if kept { "What was sent is kept: the same command goes on." } else { "Nothing was kept." };
            eprintln!("directput: {file}: interrupted. {words}");
            ExitCode::from(INTERRUPTED)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result is what the program is for")]
fn print_result(uploaded: &Uploaded, json: bool) {
    if json {
        // Plain data always has a text.
        println!("{}", serde_json::to_string(uploaded).unwrap_or_default());
        return;
    }
    let unknown = || "-".to_owned();
    println!("key       {}", uploaded.key);
    println!("checksum  {}", uploaded.checksum.clone().unwrap_or_else(unknown));
    println!("etag      {}", uploaded.etag.clone().unwrap_or_else(unknown));
    println!("size      {} ({})", uploaded.size, bytes_in_words(uploaded.size as f64));
}

fn print_failure(file: &str, failure: &Failure, kept: bool) {
    let detail = failure.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
    eprintln!("directput: {file}: {}{detail}", failure.code.title());
    let status = if failure.status > 0 { format!(", status {}", failure.status) } else { String::new() };
    let request = failure.request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"));
    eprintln!("directput: code {}{status}{request}", failure.code.as_str());
    if kept {
        eprintln!("directput: What was sent is kept: the same command goes on.");
    }
}
