//! The engine against a made-up clock: what it does on the good path and when things go wrong.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput::engine::{
    Action, Call, Config, Engine, Event, Failure, FileInfo, Now, Phase, Progress, Put, Retry, Uploaded,
};
use directput::plan::{Part, Plan, SINGLE_PUT_BYTES};
use directput::protocol::{
    CompleteUpload, ContentType, CreateUpload, ErrorCode, FileName, FileSize, PartsSigned, SignParts, SignedPart,
    UploadCompleted, UploadCreated, UploadKind,
};

const MIB: u64 = 1 << 20;
const URL_SECONDS: u64 = 60;

/// An engine, the clock that it lives by, and all that it has asked for so far.
struct Bench {
    engine: Engine,
    now_ms: u64,
    actions: Vec<Action>,
    size: u64,
}

impl Bench {
    fn new(size: u64) -> Self {
        let file = FileInfo {
            name: FileName::fit("holiday.mp4"),
            content_type: ContentType::unknown(),
            size: FileSize::new(size).expect("in range"),
        };
        let mut bench = Self { engine: Engine::new(Config::default(), file), now_ms: 1_000, actions: Vec::new(), size };
        bench.send(Event::Start);
        bench
    }

    fn send(&mut self, event: Event) {
        self.engine.handle(Now { ms: self.now_ms, random: 1 << 31 }, event);
        while let Some(action) = self.engine.poll() {
            self.actions.push(action);
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.send(Event::Tick);
    }

    /// Takes the actions of one kind out of the list.
    fn take<T>(&mut self, pick: impl Fn(&Action) -> Option<T>) -> Vec<T> {
        let found = self.actions.iter().filter_map(&pick).collect();
        self.actions.retain(|action| pick(action).is_none());
        found
    }

    fn creates(&mut self) -> Vec<CreateUpload> {
        self.take(|action| if let Action::Create(request) = action { Some(request.clone()) } else { None })
    }

    fn hashes(&mut self) -> Vec<Part> {
        self.take(|action| if let Action::HashPart(part) = action { Some(*part) } else { None })
    }

    fn signs(&mut self) -> Vec<SignParts> {
        self.take(|action| if let Action::SignParts { request, .. } = action { Some(request.clone()) } else { None })
    }

    fn puts(&mut self) -> Vec<Put> {
        self.take(|action| if let Action::Put(put) = action { Some(put.clone()) } else { None })
    }

    fn completes(&mut self) -> Vec<CompleteUpload> {
        self.take(|action| if let Action::Complete { request, .. } = action { Some(request.clone()) } else { None })
    }

    fn aborts(&mut self) -> usize {
        self.take(|action| matches!(action, Action::Abort { .. }).then_some(())).len()
    }

    /// Answers the removal as often as it is asked for.
    fn remove(&mut self) {
        assert_eq!(self.aborts(), 1);
        self.send(Event::Aborted);
        self.wait(1_000);
        if self.aborts() == 1 {
            self.send(Event::Aborted);
        }
    }

    fn retries(&mut self) -> Vec<Retry> {
        self.take(|action| if let Action::Retry(retry) = action { Some(retry.clone()) } else { None })
    }

    fn reports(&mut self) -> Vec<Progress> {
        self.take(|action| if let Action::Report(progress) = action { Some(*progress) } else { None })
    }

    fn alarm(&mut self) -> Option<u64> {
        self.take(|action| if let Action::WakeAt(ms) = action { Some(*ms) } else { None }).pop()
    }

    fn outcome(&mut self) -> Option<Result<Uploaded, Failure>> {
        self.take(|action| if let Action::Finished(outcome) = action { Some(outcome.clone()) } else { None }).pop()
    }

    fn failed_with(&mut self) -> Option<ErrorCode> {
        self.outcome().and_then(Result::err).map(|failure| failure.code)
    }

    fn plan(&self) -> Plan {
        Plan::new(FileSize::new(self.size).expect("in range"), SINGLE_PUT_BYTES)
    }

    fn hash_all(&mut self) {
        loop {
            let parts = self.hashes();
            if parts.is_empty() {
                return;
            }
            for part in parts {
                self.send(Event::PartHashed { part, digest: digest(part) });
            }
        }
    }

    fn create(&mut self) {
        assert_eq!(self.creates().len(), 1);
        let reply = created(self.plan());
        self.send(Event::Created(reply));
    }

    fn sign_all(&mut self) {
        for request in self.signs() {
            self.send(Event::Signed(signed(&request)));
        }
    }

    fn store(&mut self, put: &Put) {
        let checksum = Some(digest(put.part).to_string());
        self.send(Event::PutDone { put: put.id, etag: Some(format!("\"tag{}\"", put.part.number.get())), checksum });
    }

    /// Hashes and signs what can be, and leaves the PUTs to the test.
    fn hash_and_sign(&mut self) {
        for _ in 0..3 {
            self.hash_all();
            self.sign_all();
        }
    }

    /// Runs the good path until S3 is asked to join the parts.
    fn store_all(&mut self) {
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

    fn fail_put(&mut self, put: &Put, status: u16, storage_code: &str) {
        let code = if status == 0 { ErrorCode::Network } else { ErrorCode::StorageRefused };
        let storage_code = Some(storage_code.to_owned());
        self.send(Event::PutFailed { put: put.id, failure: Failure { status, storage_code, ..code.into() } });
    }
}

fn digest(part: Part) -> Sha256Digest {
    Sha256Digest::of(&part.offset.to_le_bytes())
}

fn created(plan: Plan) -> UploadCreated {
    UploadCreated {
        token: "token".to_owned(),
        key: "uploads/key".to_owned(),
        kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
        part_size: plan.part_bytes(),
        part_count: plan.part_count(),
        max_parts_per_request: 100,
        expires_in_seconds: 86_400,
        signed: None,
    }
}

fn signed(request: &SignParts) -> PartsSigned {
    let sign = |part: &directput::protocol::PartToSign| SignedPart {
        number: part.number,
        url: format!("https://s3.test/{}", part.number.get()),
        headers: BTreeMap::new(),
        expires_in_seconds: URL_SECONDS,
    };
    PartsSigned { parts: request.parts.iter().map(sign).collect() }
}

fn completed(request: &CompleteUpload, size: u64) -> Event {
    let checksum = CompositeChecksum::of(request.parts.iter().map(|part| &part.checksum)).to_string();
    Event::Completed(UploadCompleted { key: "uploads/key".to_owned(), etag: "whole-3".to_owned(), checksum, size })
}

#[test]
fn a_small_file_is_hashed_announced_and_sent_in_one_put() {
    let mut bench = Bench::new(5 * MIB);
    let whole = bench.plan().last();
    assert_eq!(bench.hashes(), [whole]);
    assert!(bench.creates().is_empty(), "not before its digest is known");
    bench.send(Event::PartHashed { part: whole, digest: digest(whole) });
    assert_eq!(bench.creates()[0].checksum, Some(digest(whole)));
    let request = SignParts {
        parts: vec![directput::protocol::PartToSign {
            number: whole.number,
            length: whole.length,
            checksum: digest(whole),
        }],
        bits_per_second: None,
    };
    let reply = UploadCreated { signed: signed(&request).parts.pop(), ..created(bench.plan()) };
    bench.send(Event::Created(reply));
    let put = bench.puts().pop().expect("a PUT");
    assert_eq!(put.part, whole);
    bench.store(&put);
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.etag.as_deref(), Some("tag1"));
    assert_eq!(uploaded.checksum, digest(whole).to_string());
    assert!(bench.completes().is_empty() && bench.signs().is_empty());
}

#[test]
fn an_empty_file_is_one_empty_put() {
    let mut bench = Bench::new(0);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().pop().expect("a PUT");
    assert_eq!(put.part.length, 0);
    bench.store(&put);
    assert!(matches!(bench.outcome(), Some(Ok(Uploaded { size: 0, .. }))));
}

#[test]
fn a_large_file_is_sent_in_parts_and_completed_with_its_composite_checksum() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.store_all();
    let request = bench.completes().pop().expect("a completion");
    let numbers: Vec<u32> = request.parts.iter().map(|part| part.number.get()).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
    let digests: Vec<_> = bench.plan().parts().map(digest).collect();
    assert_eq!(request.checksum, CompositeChecksum::of(&digests));
    bench.send(completed(&request, 100 * MIB));
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.checksum, request.checksum.to_string());
    assert_eq!(bench.aborts(), 0);
}

#[test]
fn never_more_puts_hashes_and_calls_run_than_configured() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    let mut hashed = 0;
    loop {
        let parts = bench.hashes();
        assert!(parts.len() <= 2, "two hashers");
        let Some(&part) = parts.first() else { break };
        for &part in &parts {
            hashed += 1;
            bench.send(Event::PartHashed { part, digest: digest(part) });
        }
        assert!(part.number.get() <= 12);
    }
    assert_eq!(hashed, 12, "hashing stays three windows ahead");
    let calls = bench.signs();
    assert_eq!(calls.len(), 1, "one signing call at a time");
    bench.send(Event::Signed(signed(&calls[0])));
    bench.sign_all();
    assert_eq!(bench.puts().len(), 4, "it begins with four, and grows when that pays");
}

#[test]
fn a_plan_of_the_servers_own_replaces_the_one_that_was_assumed() {
    let mut bench = Bench::new(20 * MIB);
    let assumed = bench.hashes();
    assert_eq!(bench.creates().len(), 1);
    let plan = Plan::restore(FileSize::new(20 * MIB).expect("ok"), 5 * MIB, true).expect("sound");
    bench.send(Event::Created(created(plan)));
    bench.send(Event::PartHashed { part: assumed[0], digest: digest(assumed[0]) });
    assert!(bench.signs().is_empty(), "a digest of other bytes is not used");
    let again = bench.hashes();
    assert_eq!(again[0].length, 5 * MIB);
    bench.send(Event::PartHashed { part: again[0], digest: digest(again[0]) });
    assert_eq!(bench.signs()[0].parts[0].length, 5 * MIB);
}

#[test]
fn a_plan_that_does_not_fit_the_file_is_refused_and_cleaned_up() {
    let mut bench = Bench::new(100 * MIB);
    assert_eq!(bench.creates().len(), 1);
    let reply = UploadCreated { part_count: 3, ..created(bench.plan()) };
    bench.send(Event::Created(reply));
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::InvalidReply));
}

#[test]
fn expired_url_is_signed_again_before_its_part_is_sent() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_all();
    bench.sign_all();
    bench.hash_all();
    bench.sign_all();
    let puts = bench.puts();
    assert_eq!(puts.len(), 4);
    // The first four take so long that the URLs of the others, signed together with them, expire.
    bench.now_ms += URL_SECONDS * 1_000 - 4_000;
    bench.store(&puts[0]);
    assert!(bench.puts().is_empty(), "no PUT with an expired URL");
    let request = bench.signs().pop().expect("they are signed again");
    assert!(request.parts.iter().all(|part| part.number.get() > 4));
    bench.send(Event::Signed(signed(&request)));
    assert_eq!(bench.puts().len(), 1);
}

#[test]
fn a_network_failure_waits_with_jitter_and_sends_the_same_url_again() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_all();
    bench.sign_all();
    bench.hash_all();
    bench.sign_all();
    let mut puts = bench.puts();
    let put = puts.remove(0);
    bench.fail_put(&put, 0, "");
    puts.iter().for_each(|put| bench.store(put));
    let retry = bench.retries().pop().expect("a notice");
    assert_eq!((retry.part, retry.wait_ms, retry.failures), (Some(put.part.number), 250, 1));
    assert_eq!(bench.alarm(), Some(bench.now_ms + 250));
    bench.wait(249);
    assert!(bench.puts().is_empty());
    bench.wait(1);
    let again = bench.puts().pop().expect("sent again");
    assert_eq!((again.part, &again.url), (put.part, &put.url));
    assert_ne!(again.id, put.id);
}

#[test]
fn a_refused_signature_asks_for_a_new_url() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 403, "AccessDenied");
    bench.wait(20_000);
    let request = bench.signs().pop().expect("signed again");
    assert_eq!(request.parts[0].number, put.part.number);
}

#[test]
fn bytes_that_arrived_corrupted_are_hashed_and_sent_again() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 400, "BadDigest");
    assert_eq!(bench.hashes(), [put.part]);
    bench.send(Event::PartHashed { part: put.part, digest: digest(put.part) });
    bench.sign_all();
    assert_eq!(bench.puts().pop().expect("sent again").part, put.part);
}

#[test]
fn a_part_that_hashes_differently_the_second_time_means_the_file_changed() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 400, "BadDigest");
    bench.send(Event::PartHashed { part: put.part, digest: Sha256Digest::of(b"other bytes") });
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::FileChanged));
}

#[test]
fn a_checksum_that_s3_answers_differently_is_corruption_too() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    let checksum = Some(Sha256Digest::of(b"other bytes").to_string());
    bench.send(Event::PutDone { put: put.id, etag: Some("\"tag\"".to_owned()), checksum });
    assert_eq!(bench.hashes(), [put.part]);
}

#[test]
fn a_part_that_keeps_failing_ends_the_upload_and_cleans_up() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let number = bench.plan().last().number;
    let (last, others): (Vec<_>, Vec<_>) = bench.puts().into_iter().partition(|put| put.part.number == number);
    others.iter().for_each(|put| bench.store(put));
    bench.fail_put(&last[0], 500, "InternalError");
    bench.wait(15_000);
    for _ in 1..30 {
        let put = bench.puts().pop().expect("the last part is sent");
        bench.fail_put(&put, 500, "InternalError");
        bench.wait(15_000);
        bench.sign_all();
    }
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::StorageUnavailable));
}

#[test]
fn a_lost_answer_to_a_single_put_is_recognised_by_the_refusal_of_the_second() {
    let mut bench = Bench::new(MIB);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 0, "");
    bench.wait(500);
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 412, "PreconditionFailed");
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.etag, None);
}

#[test]
fn api_calls_are_retried_with_backoff_and_then_given_up() {
    let mut bench = Bench::new(20 * MIB);
    for attempt in 1..=7 {
        assert_eq!(bench.creates().len(), 1, "attempt {attempt}");
        bench.send(Event::CallFailed { call: Call::Create, failure: ErrorCode::Network.into() });
        bench.wait(20_000);
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::Network));
    assert_eq!(bench.aborts(), 0, "nothing was opened");
}

#[test]
fn a_signing_call_that_fails_leaves_its_parts_to_the_next() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_all();
    let request = bench.signs().pop().expect("a call");
    bench.send(Event::CallFailed { call: Call::Sign, failure: ErrorCode::TooManyRequests.into() });
    bench.wait(1_000);
    let again = bench.signs().pop().expect("another call");
    assert!(request.parts.iter().all(|part| again.parts.contains(part)));
}

#[test]
fn a_refusal_by_the_api_is_final_and_keeps_its_code() {
    let mut bench = Bench::new(20 * MIB);
    let failure = Failure { status: 415, ..ErrorCode::TypeNotAllowed.into() };
    bench.send(Event::CallFailed { call: Call::Create, failure: failure.clone() });
    assert_eq!(bench.outcome(), Some(Err(failure)));
    assert!(bench.reports().iter().all(|report| report.phase != Phase::Done), "a failure is not done");
}

#[test]
fn an_abort_stops_every_put_removes_the_upload_and_then_finishes() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.send(Event::Abort);
    let cancelled = bench.take(|action| if let Action::CancelPut(id) = action { Some(*id) } else { None });
    assert_eq!(cancelled, puts.iter().map(|put| put.id).collect::<Vec<_>>());
    assert!(bench.outcome().is_none(), "not before the upload is gone");
    bench.store(&puts[0]);
    assert!(bench.puts().is_empty() && bench.completes().is_empty(), "late news is ignored");
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_while_the_upload_is_being_opened_removes_what_the_reply_brings() {
    let mut bench = Bench::new(100 * MIB);
    bench.send(Event::Abort);
    assert!(bench.outcome().is_none());
    bench.create();
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_whose_call_keeps_failing_ends_all_the_same() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.send(Event::Abort);
    for _ in 0..4 {
        assert_eq!(bench.aborts(), 1);
        bench.send(Event::CallFailed { call: Call::Abort, failure: ErrorCode::Network.into() });
        bench.wait(20_000);
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_before_anything_was_asked_finishes_at_once() {
    let mut bench = Bench::new(MIB);
    bench.send(Event::Abort);
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
    assert_eq!(bench.aborts(), 0);
}

#[test]
fn an_object_with_another_checksum_or_size_is_not_called_a_success() {
    for (size, checksum) in [(20 * MIB, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-3"), (1, "")] {
        let mut bench = Bench::new(20 * MIB);
        bench.create();
        bench.store_all();
        let request = bench.completes().pop().expect("a completion");
        let Event::Completed(mut reply) = completed(&request, size) else { unreachable!() };
        if !checksum.is_empty() {
            reply.checksum = checksum.to_owned();
        }
        bench.send(Event::Completed(reply));
        bench.send(Event::Aborted);
        assert_eq!(bench.failed_with(), Some(ErrorCode::Integrity));
    }
}

#[test]
fn a_hidden_etag_is_said_to_be_one() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.send(Event::PutDone { put: put.id, etag: None, checksum: None });
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::ETagHidden));
}

#[test]
fn progress_never_goes_back_without_a_notice_and_ends_with_all_bytes() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    loop {
        bench.hash_and_sign();
        let puts = bench.puts();
        if puts.is_empty() {
            break;
        }
        for put in puts {
            for sent_bytes in [put.part.length / 2, put.part.length] {
                bench.now_ms += 300;
                bench.send(Event::PutProgress { put: put.id, sent_bytes });
            }
            bench.store(&put);
        }
    }
    let request = bench.completes().pop().expect("a completion");
    bench.send(completed(&request, 100 * MIB));
    let reports = bench.reports();
    assert!(reports.is_sorted_by_key(|report| report.sent_bytes));
    assert!(
        reports.is_sorted_by_key(|report| report.phase),
        "{:?}",
        reports.iter().map(|r| r.phase).collect::<Vec<_>>()
    );
    let last = reports.last().expect("reports");
    assert_eq!((last.phase, last.sent_bytes, last.confirmed_bytes), (Phase::Done, 100 * MIB, 100 * MIB));
    let speed = reports.iter().rev().find(|report| report.phase == Phase::Upload).expect("uploading").bytes_per_second;
    assert!(speed > 1e6, "{speed}");
}

#[test]
fn there_is_always_something_to_wait_for_until_it_is_over() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    for put in bench.puts() {
        bench.fail_put(&put, 503, "SlowDown");
    }
    assert!(bench.alarm().is_some(), "all parts rest, so there must be a time to wake at");
    bench.wait(3_000);
    assert_eq!(bench.puts().len(), 2, "half as many as before");
}
