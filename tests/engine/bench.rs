//! An engine with a simulated clock, and a driver that the test controls.

use directput::checksum::{ChecksumAlgorithm, CompositeChecksum, PartChecksum, Sha256Digest};
use directput::engine::{
    Action, ApiCall, Call, Config, Engine, Event, Failure, FileInfo, Now, Progress, Put, PutAnswer, Record, Retry,
    Uploaded,
};
use directput::plan::{Part, Plan, SINGLE_PUT_BYTES};
use directput::protocol::{
    CompleteUpload, ContentType, CreateUpload, ErrorCode, FileName, FileSize, Headers, PartNumber, PartsSigned,
    SignParts, SignedPart, UploadCompleted, UploadCreated, UploadKind,
};

pub const MIB: u64 = 1 << 20;
pub const URL_SECONDS: u64 = 60;

const KEEPING: Config = Config {
    parts_in_flight: 6,
    hashers: 2,
    network: directput::protocol::NetworkHint::Unknown,
    algorithm: ChecksumAlgorithm::Sha256,
    stall_ms: 30_000,
    keeps_records: true,
    has_service_worker: false,
};

/// An engine, its clock, and its actions.
#[derive(Clone)]
pub struct Bench {
    pub engine: Engine,
    pub now_ms: u64,
    actions: Vec<Action>,
    size: u64,
}

impl Bench {
    pub fn new(size: u64) -> Self {
        Self::start(Engine::new(Config::default(), file(size)), size)
    }

    /// Returns an upload with this checksum algorithm.
    pub fn by(algorithm: ChecksumAlgorithm, size: u64) -> Self {
        Self::start(Engine::new(Config { algorithm, ..Config::default() }, file(size)), size)
    }

    /// Returns an upload with a driver that keeps records.
    pub fn keeping(size: u64) -> Self {
        Self::start(Engine::new(KEEPING, file(size)), size)
    }

    /// Returns an upload that is resumed from a record of an earlier session.
    pub fn restored(size: u64, record: Record) -> Self {
        Self::start(Engine::restore(KEEPING, file(size), record), size)
    }

    pub fn start(engine: Engine, size: u64) -> Self {
        let mut bench = Self { engine, ..Self::waiting(size) };
        bench.send(Event::Start);
        bench
    }

    /// Returns an upload that waits in a queue for [`Event::Start`].
    pub fn waiting(size: u64) -> Self {
        Self { engine: Engine::new(Config::default(), file(size)), now_ms: 1_000, actions: Vec::new(), size }
    }

    pub fn send(&mut self, event: Event) {
        self.engine.handle(Now { ms: self.now_ms, random: 1 << 31 }, event);
        while let Some(action) = self.engine.poll() {
            self.actions.push(action);
        }
    }

    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.send(Event::Tick);
    }

    /// Removes the actions of one kind from the list, and returns them.
    pub fn take<T>(&mut self, pick: impl Fn(&Action) -> Option<T>) -> Vec<T> {
        let found = self.actions.iter().filter_map(&pick).collect();
        self.actions.retain(|action| pick(action).is_none());
        found
    }

    pub fn creates(&mut self) -> Vec<CreateUpload> {
        self.take(
            |action| if let Action::Call(ApiCall::Create(request)) = action { Some(request.clone()) } else { None },
        )
    }

    pub fn hashes(&mut self) -> Vec<Part> {
        self.take(|action| if let Action::HashPart { part, .. } = action { Some(*part) } else { None })
    }

    pub fn signs(&mut self) -> Vec<SignParts> {
        self.take(
            |action| {
                if let Action::Call(ApiCall::Sign { request, .. }) = action { Some(request.clone()) } else { None }
            },
        )
    }

    pub fn puts(&mut self) -> Vec<Put> {
        self.take(|action| if let Action::Put(put) = action { Some(put.clone()) } else { None })
    }

    pub fn completes(&mut self) -> Vec<CompleteUpload> {
        self.take(|action| {
            if let Action::Call(ApiCall::Complete { request, .. }) = action { Some(request.clone()) } else { None }
        })
    }

    pub fn aborts(&mut self) -> usize {
        self.take(|action| matches!(action, Action::Call(ApiCall::Abort { .. })).then_some(())).len()
    }

    /// Answers all calls that remove the upload.
    pub fn remove(&mut self) {
        assert_eq!(self.aborts(), 1);
        self.send(Event::Aborted);
        self.wait(1_000);
        if self.aborts() == 1 {
            self.send(Event::Aborted);
        }
    }

    pub fn lists(&mut self) -> Vec<Option<PartNumber>> {
        self.take(|action| if let Action::Call(ApiCall::List { after, .. }) = action { Some(*after) } else { None })
    }

    pub fn cancelled_puts(&mut self) -> usize {
        self.take(|action| matches!(action, Action::CancelPut(_)).then_some(())).len()
    }

    pub fn refreshes(&mut self) -> usize {
        self.take(|action| matches!(action, Action::RefreshCredentials).then_some(())).len()
    }

    /// Returns the records that were persisted, in order. `None` stands for removing the record.
    pub fn records(&mut self) -> Vec<Option<Record>> {
        self.take(|action| match action {
            Action::Persist(record) => Some(Some(record.clone())),
            Action::Forget => Some(None),
            _ => None,
        })
    }

    pub fn fail_call(&mut self, call: Call, code: ErrorCode) {
        self.send(Event::CallFailed { call, failure: Failure { status: code.status(), ..code.into() } });
    }

    pub fn retries(&mut self) -> Vec<Retry> {
        self.take(|action| if let Action::Retry(retry) = action { Some(retry.clone()) } else { None })
    }

    pub fn reports(&mut self) -> Vec<Progress> {
        self.take(|action| if let Action::Report(progress) = action { Some(*progress) } else { None })
    }

    pub fn alarm(&mut self) -> Option<u64> {
        self.take(|action| if let Action::WakeAt(ms) = action { Some(*ms) } else { None }).pop()
    }

    pub fn outcome(&mut self) -> Option<Result<Uploaded, Failure>> {
        self.take(|action| if let Action::Finished(outcome) = action { Some(outcome.clone()) } else { None }).pop()
    }

    pub fn failed_with(&mut self) -> Option<ErrorCode> {
        self.outcome().and_then(Result::err).map(|failure| failure.code)
    }

    pub fn plan(&self) -> Plan {
        Plan::new(FileSize::new(self.size).expect("in range"), SINGLE_PUT_BYTES)
    }

    pub fn hash_all(&mut self) {
        loop {
            let parts = self.hashes();
            if parts.is_empty() {
                return;
            }
            for part in parts {
                self.send(Event::PartHashed { part, checksum: digest(part) });
            }
        }
    }

    /// Hashes the first parts. The engine then opens the upload.
    pub fn hash_first(&mut self) {
        for part in self.hashes() {
            self.send(Event::PartHashed { part, checksum: digest(part) });
        }
    }

    /// Opens the upload. The answer contains no URLs.
    pub fn create(&mut self) {
        self.hash_first();
        assert_eq!(self.creates().len(), 1);
        let reply = created(self.plan());
        self.send(Event::Created(reply));
    }

    pub fn sign_all(&mut self) {
        for request in self.signs() {
            self.send(Event::Signed(signed(&request)));
        }
    }

    pub fn store(&mut self, put: &Put) {
        let answer = stored(&format!("tag{}", put.part.number.get()), Some(digest(put.part).to_string()));
        self.answer_put(put, answer);
    }

    pub fn answer_put(&mut self, put: &Put, answer: PutAnswer) {
        self.send(Event::PutDone { put: put.id, answer });
    }

    /// Hashes and signs all possible parts, and leaves the PUTs to the test.
    pub fn hash_and_sign(&mut self) {
        for _ in 0..3 {
            self.hash_all();
            self.sign_all();
        }
    }

    /// Runs the good path until the completion.
    pub fn store_all(&mut self) {
        loop {
            self.hash_all();
            self.sign_all();
            let puts = self.puts();
            if puts.is_empty() {
                return;
            }
            for put in puts {
                self.store(&put);
            }
        }
    }

    pub fn fail_put(&mut self, put: &Put, status: u16, storage_code: &str) {
        let code = if status == 0 { ErrorCode::Network } else { ErrorCode::StorageRefused };
        let storage_code = Some(storage_code.to_owned());
        self.send(Event::PutFailed { put: put.id, failure: Failure { status, storage_code, ..code.into() } });
    }
}

/// Returns S3's answer to a successful PUT.
pub fn stored(etag: &str, checksum: Option<String>) -> PutAnswer {
    PutAnswer { status: 200, etag: Some(format!("\"{etag}\"")), checksum, media_type: None, is_empty: true }
}

pub fn digest(part: Part) -> PartChecksum {
    Sha256Digest::of(&part.offset.to_le_bytes()).into()
}

pub fn created(plan: Plan) -> UploadCreated {
    UploadCreated {
        token: "token".to_owned(),
        key: "uploads/key".to_owned(),
        kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
        part_size: plan.part_bytes(),
        part_count: plan.part_count(),
        max_parts_per_request: 100,
        expires_in_seconds: 86_400,
        parts: Vec::new(),
        lane_count: 1,
        max_uploads_per_request: 0,
    }
}

pub fn signed(request: &SignParts) -> PartsSigned {
    let sign = |part: &directput::protocol::PartToSign| SignedPart {
        number: part.number,
        url: format!("https://s3.test/{}", part.number.get()),
        headers: Headers::default(),
        expires_in_seconds: URL_SECONDS,
    };
    PartsSigned { parts: request.parts.iter().map(sign).collect() }
}

pub fn completed(request: &CompleteUpload, size: u64) -> Event {
    let checksum = Some(composite(request.parts.iter().filter_map(|part| part.checksum)));
    Event::Completed(UploadCompleted { key: "uploads/key".to_owned(), etag: "whole-3".to_owned(), checksum, size })
}

/// Returns the composite checksum of the parts' SHA-256.
pub fn composite(parts: impl IntoIterator<Item = PartChecksum>) -> String {
    let digests: Vec<_> = parts
        .into_iter()
        .map(|checksum| match checksum {
            PartChecksum::Sha256(digest) => digest,
            PartChecksum::Crc64Nvme(_) => panic!("not verified by SHA-256"),
        })
        .collect();
    CompositeChecksum::of(&digests).to_string()
}

pub fn file(size: u64) -> FileInfo {
    FileInfo {
        name: FileName::fit("holiday.mp4"),
        content_type: ContentType::unknown(),
        size: FileSize::new(size).expect("in range"),
    }
}
