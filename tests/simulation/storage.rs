//! A bucket as S3 keeps it, and the signing API in front of it: no faults in here.

use std::collections::BTreeMap;

use directput::checksum::{ChecksumAlgorithm, CompositeChecksum, PartChecksum, Sha256Digest};
use directput::engine::Failure;
use directput::plan::Plan;
use directput::protocol::{
    CompleteUpload, CreateUpload, ErrorCode, Headers, PartNumber, PartToSign, PartsListed, PartsSigned, SignParts,
    SignedPart, StoredPart, UploadCompleted, UploadCreated, UploadKind,
};

/// Pages of a listing are short, so that there are several.
const PARTS_PER_PAGE: usize = 3;

/// The most parts that a signing call may name.
const MAX_PARTS_PER_REQUEST: u32 = 5;

/// What a URL lets through: these bytes, to this place, until then.
#[derive(Debug, Clone)]
pub struct Url {
    upload: usize,
    number: PartNumber,
    /// None where nothing is verified.
    digest: Option<Sha256Digest>,
    expires_ms: u64,
}

/// An upload as S3 and the token know it.
#[derive(Debug, Clone)]
pub struct Upload {
    pub key: String,
    plan: Plan,
    pub parts: BTreeMap<PartNumber, Sha256Digest>,
    pub state: UploadState,
    /// Whether the client was told of it.
    pub is_known: bool,
    /// Whether its token is still good.
    pub token_is_good: bool,
    is_verified: bool,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum UploadState {
    Open,
    Completed,
    /// The client has removed it.
    Removed,
    /// The lifecycle rule has, or it never needed to be open.
    Gone,
}

/// The bucket and the API.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    pub uploads: Vec<Upload>,
    urls: Vec<Url>,
    /// The digests of the parts of each object, by key.
    pub objects: BTreeMap<String, Vec<Sha256Digest>>,
    /// How long URLs live, in seconds.
    url_seconds: u64,
    /// The part size that the server plans with, if it is not the usual one.
    part_bytes: Option<u64>,
}

/// Everything is verified by SHA-256 here, or by nothing.
fn digest_of(checksum: Option<PartChecksum>) -> Option<Sha256Digest> {
    match checksum? {
        PartChecksum::Sha256(digest) => Some(digest),
        PartChecksum::Crc64Nvme(checksum) => panic!("verified by {checksum:?}"),
    }
}

fn refusal(status: u16, storage_code: &str) -> Failure {
    Failure { status, storage_code: Some(storage_code.to_owned()), ..ErrorCode::StorageRefused.into() }
}

fn api_refusal(code: ErrorCode) -> Failure {
    Failure { status: code.status(), ..code.into() }
}

/// An entity tag in S3's form, another for each part and content.
fn etag(number: PartNumber, content: &Sha256Digest) -> String {
    let text = content.to_string().replace(|character: char| !character.is_ascii_alphanumeric(), "0");
    format!("{:04}{}", number.get() % 10_000, &text[..28])
}

/// What S3 answers to a PUT: entity tag and checksum.
pub type Stored = (String, Option<String>);

impl Storage {
    pub fn new(url_seconds: u64, part_bytes: Option<u64>) -> Self {
        Self { url_seconds, part_bytes, ..Self::default() }
    }

    pub fn create(&mut self, now_ms: u64, request: &CreateUpload) -> UploadCreated {
        let mut plan = Plan::new(request.size, directput::plan::SINGLE_PUT_BYTES);
        if let Some(plan_of_its_own) = self.part_bytes.and_then(|bytes| Plan::restore(request.size, bytes, true)) {
            plan = plan_of_its_own;
        }
        let index = self.uploads.len();
        let key = format!("uploads/{index}");
        // A single PUT leaves nothing open.
        let state = if plan.is_multipart() { UploadState::Open } else { UploadState::Gone };
        let upload = Upload {
            key: key.clone(),
            plan,
            parts: BTreeMap::new(),
            state,
            is_known: false,
            token_is_good: true,
            is_verified: request.algorithm != ChecksumAlgorithm::None,
        };
        self.uploads.push(upload);
        let fits = |part: &&PartToSign| plan.part(part.number).is_some_and(|planned| planned.length == part.length);
        let fitting = request.parts.iter().filter(fits).take(MAX_PARTS_PER_REQUEST as usize);
        let parts = fitting.map(|part| self.sign_one(now_ms, index, part.number, digest_of(part.checksum))).collect();
        UploadCreated {
            token: index.to_string(),
            key,
            kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
            part_size: plan.part_bytes(),
            part_count: plan.part_count(),
            max_parts_per_request: MAX_PARTS_PER_REQUEST,
            expires_in_seconds: 86_400,
            parts,
        }
    }

    fn sign_one(&mut self, now_ms: u64, upload: usize, number: PartNumber, digest: Option<Sha256Digest>) -> SignedPart {
        self.urls.push(Url { upload, number, digest, expires_ms: now_ms + self.url_seconds * 1_000 });
        SignedPart {
            number,
            url: (self.urls.len() - 1).to_string(),
            headers: Headers::default(),
            expires_in_seconds: self.url_seconds,
        }
    }

    fn upload(&self, token: &str) -> Result<usize, Failure> {
        let index: usize = token.parse().expect("a token of ours");
        if self.uploads[index].token_is_good { Ok(index) } else { Err(api_refusal(ErrorCode::TokenExpired)) }
    }

    pub fn sign(&mut self, now_ms: u64, token: &str, request: &SignParts) -> Result<PartsSigned, Failure> {
        let index = self.upload(token)?;
        assert!((1..=MAX_PARTS_PER_REQUEST as usize).contains(&request.parts.len()), "{request:?}");
        let plan = self.uploads[index].plan;
        for wanted in &request.parts {
            assert_eq!(plan.part(wanted.number).map(|part| part.length), Some(wanted.length), "{request:?}");
        }
        let parts =
            request.parts.iter().map(|part| self.sign_one(now_ms, index, part.number, digest_of(part.checksum)));
        Ok(PartsSigned { parts: parts.collect() })
    }

    /// Whether S3 takes a URL when the request begins.
    pub fn check(&self, now_ms: u64, url: &str) -> Result<(), Failure> {
        let url = &self.urls[url.parse::<usize>().expect("a URL of ours")];
        if url.expires_ms < now_ms { Err(refusal(403, "AccessDenied")) } else { Ok(()) }
    }

    /// Stores what has arrived.
    pub fn put(&mut self, url: &str, content: Sha256Digest) -> Result<Stored, Failure> {
        let Url { upload, number, digest, .. } = self.urls[url.parse::<usize>().expect("a URL of ours")].clone();
        if digest.is_some_and(|digest| content != digest) {
            return Err(refusal(400, "BadDigest"));
        }
        let upload = &mut self.uploads[upload];
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
        Ok((format!("\"{}\"", etag(number, &content)), digest.map(|digest| digest.to_string())))
    }

    /// What S3 keeps of a PUT that arrives although its upload was just removed: a part that somebody pays
    /// for, until the upload is removed once more.
    pub fn put_late(&mut self, url: &str, content: Sha256Digest) {
        let Url { upload, number, digest, .. } = self.urls[url.parse::<usize>().expect("a URL of ours")].clone();
        let upload = &mut self.uploads[upload];
        if digest.is_none_or(|digest| content == digest)
            && matches!(upload.state, UploadState::Open | UploadState::Removed)
        {
            upload.parts.insert(number, content);
        }
    }

    pub fn list(&self, token: &str, after: Option<PartNumber>) -> Result<PartsListed, Failure> {
        let upload = &self.uploads[self.upload(token)?];
        if upload.state != UploadState::Open {
            return Err(api_refusal(ErrorCode::UploadGone));
        }
        let rest = upload.parts.iter().filter(|&(&number, _)| Some(number) > after);
        let mut parts: Vec<_> = rest
            .map(|(&number, digest)| StoredPart {
                number,
                size: upload.plan.part(number).expect("planned").length,
                etag: etag(number, digest),
                checksum: upload.is_verified.then(|| digest.to_string()),
            })
            .collect();
        let is_truncated = parts.len() > PARTS_PER_PAGE;
        parts.truncate(PARTS_PER_PAGE);
        let next = parts.last().map(|part| part.number).filter(|_| is_truncated);
        Ok(PartsListed { parts, next })
    }

    pub fn complete(&mut self, token: &str, request: &CompleteUpload) -> Result<UploadCompleted, Failure> {
        let index = self.upload(token)?;
        let upload = &mut self.uploads[index];
        // Where nothing is verified it is the entity tags alone that say what is meant.
        let digests: Vec<_> = match upload.is_verified {
            true => request.parts.iter().filter_map(|part| digest_of(part.checksum)).collect(),
            false => upload.parts.values().copied().collect(),
        };
        let composite = upload.is_verified.then(|| CompositeChecksum::of(&digests).to_string());
        assert_eq!(composite, request.checksum.map(|checksum| checksum.to_string()));
        assert_eq!(request.parts.len(), upload.plan.part_count() as usize);
        match upload.state {
            UploadState::Removed | UploadState::Gone => return Err(api_refusal(ErrorCode::UploadGone)),
            // S3 answers a repeated completion as the first.
            UploadState::Completed => {}
            UploadState::Open => {
                let is_held = |(part, digest): (&directput::protocol::CompletedPart, &Sha256Digest)| {
                    upload.parts.get(&part.number) == Some(digest) && part.etag.as_str() == etag(part.number, digest)
                };
                if !request.parts.iter().zip(&digests).all(is_held) {
                    return Err(api_refusal(ErrorCode::PartsRefused));
                }
                upload.state = UploadState::Completed;
                upload.parts.clear();
                self.objects.insert(upload.key.clone(), digests);
            }
        }
        Ok(UploadCompleted {
            key: upload.key.clone(),
            etag: "whole".to_owned(),
            checksum: composite,
            size: upload.plan.size(),
        })
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

    /// Uploads that the client was told of and that cost money: open, or gone with a part left over.
    pub fn orphans(&self) -> impl Iterator<Item = &Upload> {
        self.uploads.iter().filter(|upload| {
            let costs = upload.state == UploadState::Open || !upload.parts.is_empty();
            upload.is_known && upload.token_is_good && costs
        })
    }
}
