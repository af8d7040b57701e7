//! A simulated bucket, and the signing API in front of it, without faults.

use std::collections::BTreeMap;

use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use directput::engine::Failure;
use directput::plan::{Plan, SINGLE_PUT_BYTES};
use directput::protocol::{
    CompleteUpload, CompletedPart, CreateUpload, ErrorCode, Headers, PartNumber, PartToSign, PartsListed, PartsSigned,
    SignParts, SignedPart, StoredPart, UploadCompleted, UploadCreated, UploadKind,
};

use crate::disk::{Content, checksum_of};

/// Configuration of the server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Lifetime of URLs, in seconds.
    pub url_seconds: u64,
    /// Maximum size of a file that is sent in one PUT, in bytes.
    pub single_put_bytes: u64,
    /// Length of a part, in bytes, if it is not the default.
    pub part_bytes: Option<u64>,
    /// Maximum number of parts that a signing call may name.
    pub max_parts_per_request: u32,
    /// Number of parts on a page of a list. Pages are short, so that most lists have several.
    pub parts_per_page: usize,
    pub repeats: Repeats,
    /// Number of files that one call opens; 0 if there is no such call.
    pub max_uploads_per_request: u32,
    /// Whether the bucket's CORS rule hides S3's checksum of a part.
    pub hides_checksum: bool,
    /// Number of lanes that URLs are signed for.
    pub lanes: u32,
    /// Lane on which every PUT fails; `None` if all lanes work.
    pub dead_lane: Option<u32>,
}

/// Answer to a repeated completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// The same as the first.
    AsTheFirst,
    /// `already-complete`.
    Refused,
    /// `upload-gone`: the storage has forgotten the upload.
    Forgotten,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            url_seconds: 60,
            single_put_bytes: SINGLE_PUT_BYTES,
            part_bytes: None,
            max_parts_per_request: 5,
            parts_per_page: 3,
            repeats: Repeats::AsTheFirst,
            max_uploads_per_request: 0,
            hides_checksum: false,
            lanes: 1,
            dead_lane: None,
        }
    }
}

/// Request that a presigned URL permits.
#[derive(Debug, Clone)]
pub struct Url {
    upload: usize,
    number: PartNumber,
    /// `None` without checksums.
    checksum: Option<PartChecksum>,
    expires_ms: u64,
}

/// State of an upload in S3 and in its token.
#[derive(Debug, Clone)]
pub struct Upload {
    pub key: String,
    /// Name of the file.
    pub file: String,
    pub plan: Plan,
    pub parts: BTreeMap<PartNumber, Content>,
    pub state: UploadState,
    /// Whether the client has received the answer that opened the upload.
    pub is_known: bool,
    /// Whether its token is still valid.
    pub token_is_good: bool,
    algorithm: ChecksumAlgorithm,
}

impl Upload {
    /// Returns whether the upload costs money: it is open, or gone with a part left over.
    pub fn costs(&self) -> bool {
        self.state == UploadState::Open || !self.parts.is_empty()
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum UploadState {
    Open,
    Completed,
    /// The client has removed it.
    Removed,
    /// The lifecycle rule has removed it, or it is a single PUT.
    Gone,
}

/// The bucket and the API.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    pub uploads: Vec<Upload>,
    /// URLs by their contents, so that the state does not depend on the order of signing.
    urls: BTreeMap<String, Url>,
    /// Parts of each object, by key.
    pub objects: BTreeMap<String, Vec<Content>>,
    server: Server,
}

fn refusal(status: u16, storage_code: &str) -> Failure {
    Failure { status, storage_code: Some(storage_code.to_owned()), ..ErrorCode::StorageRefused.into() }
}

/// Returns a refusal of the API.
pub fn api_refusal(code: ErrorCode) -> Failure {
    Failure { status: code.status(), ..code.into() }
}

/// Returns an entity tag in S3's form. It depends on the part's number and content.
fn etag(number: PartNumber, content: &Content) -> String {
    let text = content.to_string().replace(|character: char| !character.is_ascii_alphanumeric(), "0");
    format!("{:05}{}", number.get(), &text[..27])
}

/// S3's answer to a PUT: entity tag and checksum.
pub type Stored = (String, Option<String>);

impl Storage {
    pub fn new(server: Server) -> Self {
        Self { server, ..Self::default() }
    }

    /// Returns whether the browser can't read S3's checksums of parts.
    pub fn hides_checksum(&self) -> bool {
        self.server.hides_checksum
    }

    pub fn plan(&self, request: &CreateUpload) -> Plan {
        let Server { single_put_bytes, part_bytes, .. } = self.server;
        let is_multipart = request.size.bytes() > single_put_bytes;
        let own = part_bytes.filter(|_| is_multipart).and_then(|bytes| Plan::restore(request.size, bytes, true));
        own.unwrap_or_else(|| Plan::new(request.size, single_put_bytes))
    }

    pub fn create(&mut self, now_ms: u64, request: &CreateUpload) -> UploadCreated {
        let plan = self.plan(request);
        let index = self.uploads.len();
        let key = format!("uploads/{index}");
        // A single PUT has no open upload in S3.
        let state = if plan.is_multipart() { UploadState::Open } else { UploadState::Gone };
        let upload = Upload {
            key: key.clone(),
            file: request.name.as_str().to_owned(),
            plan,
            parts: BTreeMap::new(),
            state,
            is_known: false,
            token_is_good: true,
            algorithm: request.algorithm,
        };
        self.uploads.push(upload);
        let fits = |part: &&PartToSign| plan.part(part.number).is_some_and(|planned| planned.length == part.length);
        let max_parts_per_request = self.server.max_parts_per_request;
        let fitting = request.parts.iter().filter(fits).take(max_parts_per_request as usize);
        let parts =
            fitting.map(|part| self.sign_one(now_ms, index, part.number, part.checksum, request.lane)).collect();
        UploadCreated {
            token: index.to_string(),
            key,
            kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
            part_size: plan.part_bytes(),
            part_count: plan.part_count(),
            max_parts_per_request,
            expires_in_seconds: 86_400,
            parts,
            lane_count: self.server.lanes,
            max_uploads_per_request: self.server.max_uploads_per_request,
        }
    }

    fn sign_one(
        &mut self,
        now_ms: u64,
        upload: usize,
        number: PartNumber,
        checksum: Option<PartChecksum>,
        lane: u32,
    ) -> SignedPart {
        assert!(lane < self.server.lanes, "the server does not have lane {lane}");
        let url_seconds = self.server.url_seconds;
        let expires_ms = now_ms + url_seconds * 1_000;
        let url = format!("{upload}/{}/{expires_ms}/{lane}", number.get());
        self.urls.insert(url.clone(), Url { upload, number, checksum, expires_ms });
        SignedPart { number, url, headers: Headers::default(), expires_in_seconds: url_seconds }
    }

    fn upload(&self, token: &str) -> Result<usize, Failure> {
        let index: usize = token.parse().expect("a token of ours");
        if self.uploads[index].token_is_good { Ok(index) } else { Err(api_refusal(ErrorCode::TokenExpired)) }
    }

    pub fn sign(&mut self, now_ms: u64, token: &str, request: &SignParts) -> Result<PartsSigned, Failure> {
        let index = self.upload(token)?;
        let max = self.server.max_parts_per_request as usize;
        assert!((1..=max).contains(&request.parts.len()), "{request:?}");
        let plan = self.uploads[index].plan;
        for wanted in &request.parts {
            assert_eq!(plan.part(wanted.number).map(|part| part.length), Some(wanted.length), "{request:?}");
        }
        let parts =
            request.parts.iter().map(|part| self.sign_one(now_ms, index, part.number, part.checksum, request.lane));
        Ok(PartsSigned { parts: parts.collect() })
    }

    fn url(&self, url: &str) -> &Url {
        &self.urls[url]
    }

    /// Returns the time at which a URL expires, in milliseconds of the world's time.
    pub fn expires_ms(&self, url: &str) -> u64 {
        self.url(url).expires_ms
    }

    /// Checks that S3 accepts a URL when the request begins.
    pub fn check(&self, now_ms: u64, url: &str) -> Result<(), Failure> {
        if self.url(url).expires_ms < now_ms { Err(refusal(403, "AccessDenied")) } else { Ok(()) }
    }

    /// Stores the bytes of a PUT.
    pub fn put(&mut self, url: &str, content: Content) -> Result<Stored, Failure> {
        let Url { upload, number, checksum, .. } = self.url(url).clone();
        let upload = &mut self.uploads[upload];
        if checksum.is_some() && checksum != checksum_of(upload.algorithm, content) {
            return Err(refusal(400, "BadDigest"));
        }
        if !upload.plan.is_multipart() {
            if self.objects.contains_key(&upload.key) {
                return Err(refusal(412, "PreconditionFailed"));
            }
            self.objects.insert(upload.key.clone(), vec![content]);
        } else if upload.state == UploadState::Open {
            upload.parts.insert(number, content);
        } else {
            return Err(refusal(404, "NoSuchUpload"));
        }
        // S3 computes the CRC64NVME of a part that was sent without a checksum.
        let computed = checksum.or_else(|| checksum_of(upload.algorithm, content));
        let readable = computed.filter(|_| !self.server.hides_checksum);
        Ok((format!("\"{}\"", etag(number, &content)), readable.map(|checksum| checksum.to_text())))
    }

    /// Handles a PUT that arrives just after its upload was removed. S3 may keep the part. Then the bucket's owner pays
    /// for it until the upload is removed again. Returns whether S3 keeps the part.
    pub fn put_late(&mut self, url: &str, content: Content) -> bool {
        let Url { upload, number, checksum, .. } = self.url(url).clone();
        let upload = &mut self.uploads[upload];
        if upload.plan.is_multipart() && upload.state == UploadState::Removed {
            let is_right = checksum.is_none() || checksum == checksum_of(upload.algorithm, content);
            if is_right {
                upload.parts.insert(number, content);
            }
            return is_right;
        }
        self.put(url, content).is_ok()
    }

    pub fn list(&self, token: &str, after: Option<PartNumber>) -> Result<PartsListed, Failure> {
        let upload = &self.uploads[self.upload(token)?];
        if upload.state != UploadState::Open {
            return Err(api_refusal(ErrorCode::UploadGone));
        }
        let rest = upload.parts.iter().filter(|&(&number, _)| Some(number) > after);
        let mut parts: Vec<_> = rest
            .take(self.server.parts_per_page + 1)
            .map(|(&number, content)| StoredPart {
                number,
                size: upload.plan.part(number).expect("planned").length,
                etag: etag(number, content),
                checksum: checksum_of(upload.algorithm, *content).map(|checksum| checksum.to_text()),
            })
            .collect();
        let is_truncated = parts.len() > self.server.parts_per_page;
        parts.truncate(self.server.parts_per_page);
        let next = parts.last().map(|part| part.number).filter(|_| is_truncated);
        Ok(PartsListed { parts, next })
    }

    pub fn complete(&mut self, token: &str, request: &CompleteUpload) -> Result<UploadCompleted, Failure> {
        let index = self.upload(token)?;
        let upload = &mut self.uploads[index];
        let Upload { plan, algorithm, .. } = *upload;
        assert_eq!(request.parts.len(), plan.part_count() as usize);
        let named = request.parts.iter().map(|part| part.checksum).zip(plan.parts().map(|part| part.length));
        let checksum = ObjectChecksum::of(algorithm, named).map(|checksum| checksum.to_text());
        assert_eq!(checksum, request.checksum.map(|checksum| checksum.to_text()));
        match upload.state {
            UploadState::Removed | UploadState::Gone => return Err(api_refusal(ErrorCode::UploadGone)),
            UploadState::Completed => match self.server.repeats {
                Repeats::AsTheFirst => {}
                Repeats::Refused => return Err(api_refusal(ErrorCode::AlreadyComplete)),
                Repeats::Forgotten => return Err(api_refusal(ErrorCode::UploadGone)),
            },
            UploadState::Open => {
                let is_held = |part: &CompletedPart| {
                    upload.parts.get(&part.number).is_some_and(|content| {
                        part.etag.as_str() == etag(part.number, content)
                            && part.checksum == checksum_of(algorithm, *content)
                    })
                };
                if !request.parts.iter().all(is_held) {
                    return Err(api_refusal(ErrorCode::PartsRefused));
                }
                upload.state = UploadState::Completed;
                self.objects.insert(upload.key.clone(), std::mem::take(&mut upload.parts).into_values().collect());
            }
        }
        Ok(UploadCompleted { key: upload.key.clone(), etag: "whole".to_owned(), checksum, size: plan.size() })
    }

    pub fn abort(&mut self, token: &str) -> Result<(), Failure> {
        let index = self.upload(token)?;
        let upload = &mut self.uploads[index];
        if upload.state != UploadState::Completed {
            upload.state = UploadState::Removed;
            upload.parts.clear();
        }
        Ok(())
    }

    /// Marks the upload with this token as known to the client.
    pub fn is_told(&mut self, token: &str) {
        self.uploads[token.parse::<usize>().expect("a token of ours")].is_known = true;
    }

    /// Returns the uploads of a file that the client knows and that cost money.
    pub fn orphans<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Upload> {
        let is_left = |upload: &Upload| upload.is_known && upload.token_is_good && upload.costs();
        self.uploads.iter().filter(move |upload| upload.file == file && is_left(upload))
    }

    /// Returns the uploads of a file.
    pub fn of_file<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Upload> {
        self.uploads.iter().filter(move |upload| upload.file == file)
    }
}
