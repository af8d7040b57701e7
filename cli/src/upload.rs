//! Driver of the engine: executes the engine's actions (calls, PUTs, hashing) and passes the outcomes back as events.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use directput::checksum::ChecksumAlgorithm;
use directput::engine::{Action, Config, Engine, Event, Failure, FileInfo, Now, Put, PutId, Record, Uploaded};
use directput::plan::Part;
use directput::protocol::{ContentType, ErrorCode, FileName, FileSize};
use reqwest::Client;
use reqwest::header::HeaderMap;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::PutFlags;
use crate::api::Api;
use crate::disk::Source;
use crate::record_file::{RecordFile, UnfinishedUpload};
use crate::screen::Screen;
use crate::storage;

/// Outcome of an upload.
#[derive(Debug)]
pub enum Ending {
    /// S3 has confirmed the object.
    Stored(Uploaded),
    /// The upload failed.
    Failed {
        /// Reason.
        failure: Failure,
        /// Whether the same command can resume the upload.
        kept: bool,
    },
    /// The file does not exist or can't be read.
    Unreadable(std::io::Error),
    /// The user has pressed Ctrl-C.
    Interrupted {
        /// Whether the same command can resume the upload.
        kept: bool,
    },
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self::Failed { failure, kept: false }
    }
}

/// Uploads a file. Every call of the API has `headers`. Resumes the unfinished upload of an earlier run, if there is one.
pub async fn put(flags: PutFlags, headers: HeaderMap, screen: &Screen) -> Ending {
    let source = match Source::open(&flags.file) {
        Ok(source) => source,
        Err(error) => return Ending::Unreadable(error),
    };
    match prepare(&flags, &source) {
        Ok((info, record_file)) => run(&flags, headers, &source, info, &record_file, screen).await,
        Err(failure) => failure.into(),
    }
}

fn prepare(flags: &PutFlags, source: &Source) -> Result<(FileInfo, RecordFile), Failure> {
    // Piped input is in a temporary file. The name of that file is meaningless.
    let path = if source.is_piped() { Path::new("stdin") } else { &source.path };
    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = flags.name.clone().unwrap_or_else(|| FileName::fit(&own_name.unwrap_or_default()));
    let named = if source.is_piped() { Path::new(name.as_str()) } else { path };
    let info = FileInfo {
        content_type: flags.content_type.clone().unwrap_or_else(|| content_type(named)),
        name: name.clone(),
        size: FileSize::new(source.state.size).ok_or_else(|| Failure::from(ErrorCode::FileTooLarge))?,
    };
    let record_file = match source.is_piped() {
        true => RecordFile::none(),
        false => RecordFile::open(&source.path, flags.endpoint.as_str())?,
    };
    Ok((info, record_file))
}

fn content_type(path: &Path) -> ContentType {
    let guess = mime_guess::from_path(path).first_raw();
    guess.and_then(|text| ContentType::parse(text).ok()).unwrap_or(ContentType::unknown())
}

async fn run(
    flags: &PutFlags,
    headers: HeaderMap,
    source: &Source,
    info: FileInfo,
    record_file: &RecordFile,
    screen: &Screen,
) -> Ending {
    let client = match Client::builder().build() {
        Ok(client) => client,
        Err(_) => return Failure::from(ErrorCode::Internal).into(),
    };
    let api = Api::new(client.clone(), &flags.endpoint, headers);
    let config = Config {
        parts_in_flight: flags.parts_in_flight,
        network: flags.network,
        algorithm: flags.checksum,
        stall_ms: flags.stall_seconds * 1_000,
        keeps_records: !source.is_piped(),
        ..Config::default()
    };
    let context = Context { api, client, source, record_file, screen };
    let drive = |engine| Driver::new(engine, &context).run();
    let unfinished = record_file.load();
    if let Some(UnfinishedUpload { file, record }) = unfinished {
        // The engine compares stored parts with the file's bytes. It can't do so without checksums, or if only the
        // completion is left. Only then does the modification time decide.
        let compares_bytes = record.algorithm != ChecksumAlgorithm::None && record.completion.is_none();
        let is_same = if compares_bytes { file.size == source.state.size } else { file == source.state };
        if !record.discard && is_same && !flags.restart {
            screen.say("Resuming an earlier upload of this file.");
            match drive(Engine::restore(config, info.clone(), record.clone())).await {
                Ending::Failed { failure, .. } if failure.code == ErrorCode::WrongFile => {
                    screen.say("The file has changed since the earlier upload.");
                }
                ending => return ending,
            }
        }
        screen.say("Removing an earlier upload of this file.");
        // The removal must end before the new upload begins, because both use the same record file. A failed removal is
        // ignored, because a lifecycle rule of the bucket removes the parts later.
        let discarded = Record { discard: true, ..record };
        if let Ending::Interrupted { kept } = drive(Engine::restore(config, info.clone(), discarded)).await {
            return Ending::Interrupted { kept };
        }
        record_file.forget();
    }
    drive(Engine::new(config, info)).await
}

/// Targets on which a driver executes the engine's actions.
struct Context<'a> {
    api: Api,
    client: Client,
    source: &'a Source,
    record_file: &'a RecordFile,
    screen: &'a Screen,
}

/// One run of an engine.
struct Driver<'a> {
    engine: Engine,
    context: &'a Context<'a>,
    started: Instant,
    puts: HashMap<PutId, AbortHandle>,
    wakes_at_ms: Option<u64>,
}

impl<'a> Driver<'a> {
    fn new(engine: Engine, context: &'a Context<'a>) -> Self {
        Self { engine, context, started: Instant::now(), puts: HashMap::new(), wakes_at_ms: None }
    }

    async fn run(mut self) -> Ending {
        let (events, mut inbox) = unbounded_channel();
        let interrupt = async {
            // If the handler can't be installed, Ctrl-C ends the program as usual.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(interrupt);
        let mut event = Event::Start;
        loop {
            if let Some(outcome) = self.dispatch(event, &events) {
                return match outcome {
                    Ok(uploaded) => Ending::Stored(uploaded),
                    Err(failure) => Ending::Failed { failure, kept: self.context.record_file.exists() },
                };
            }
            let wait_ms = self.wakes_at_ms.map(|at| at.saturating_sub(self.now().ms));
            let wake = async {
                match wait_ms {
                    Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                    None => std::future::pending().await,
                }
            };
            event = tokio::select! {
                Some(event) = inbox.recv() => event,
                () = wake => {
                    self.wakes_at_ms = None;
                    Event::Tick
                }
                () = &mut interrupt => return Ending::Interrupted { kept: self.context.record_file.exists() },
            };
        }
    }

    fn now(&self) -> Now {
        Now { ms: self.started.elapsed().as_millis() as u64, random: fastrand::u32(..) }
    }

    /// Passes an event to the engine and executes the engine's actions. Returns the outcome when the upload has ended.
    fn dispatch(&mut self, event: Event, events: &UnboundedSender<Event>) -> Option<Result<Uploaded, Failure>> {
        let now = self.now();
        self.engine.handle(now, event);
        while let Some(action) = self.engine.poll() {
            match action {
                Action::Call(call) => spawn(events, self.context.api.clone().run(call)),
                Action::HashPart { part, after_ms } => self.hash(part, after_ms, events),
                Action::Put(put) => self.put(put, events),
                Action::CancelPut(id) => {
                    self.puts.remove(&id).inspect(AbortHandle::abort);
                }
                // The credentials of the command line can't be renewed.
                Action::RefreshCredentials => {
                    spawn(events, async { Event::CredentialsFailed(ErrorCode::Unauthorized.into()) })
                }
                Action::Persist(record) => {
                    let file = self.context.source.state.clone();
                    self.context.record_file.store(&UnfinishedUpload { file, record });
                }
                Action::Forget => self.context.record_file.forget(),
                Action::Report(progress) => self.context.screen.progress(&progress),
                Action::Retry(retry) => self.context.screen.retry(&retry),
                Action::WakeAt(ms) => self.wakes_at_ms = Some(ms),
                Action::Finished(outcome) => return Some(outcome),
                // These actions concern other uploads, but this process has only one upload.
                Action::Rest { .. } | Action::Stalled { .. } => {}
            }
        }
        None
    }

    fn hash(&self, part: Part, after_ms: u32, events: &UnboundedSender<Event>) {
        let (source, algorithm) = (self.context.source.clone(), self.engine.algorithm());
        spawn(events, async move {
            tokio::time::sleep(Duration::from_millis(after_ms.into())).await;
            let hashed = tokio::task::spawn_blocking(move || source.hash(part, algorithm)).await;
            match hashed.unwrap_or_else(|_| Err(ErrorCode::Internal.into())) {
                Ok(checksum) => Event::PartHashed { part, checksum },
                Err(failure) => Event::HashFailed { part, failure },
            }
        });
    }

    fn put(&mut self, put: Put, events: &UnboundedSender<Event>) {
        let (client, source, events) = (self.context.client.clone(), self.context.source.clone(), events.clone());
        let id = put.id;
        let progress = events.clone();
        let task = tokio::spawn(async move {
            let on_progress = move |sent_bytes| {
                // Sending fails if the upload has ended.
                let _ = progress.send(Event::PutProgress { put: id, sent_bytes });
            };
            let event = match storage::put(client, source, &put, on_progress).await {
                Ok(answer) => Event::PutDone { put: id, answer },
                Err(failure) => Event::PutFailed { put: id, failure },
            };
            let _ = events.send(event);
        });
        self.puts.insert(id, task.abort_handle());
    }
}

fn spawn(events: &UnboundedSender<Event>, work: impl Future<Output = Event> + Send + 'static) {
    let events = events.clone();
    tokio::spawn(async move {
        // Sending fails if the upload has ended.
        let _ = events.send(work.await);
    });
}
