//! The token keys as they are known here: read again before they are too old, and when a token comes that none of them opens.

use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use directput::protocol::ErrorCode;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::token::{Claims, NewUpload, TokenKeys};

/// The greatest age of keys: one that was taken away, since it has leaked, opens nothing any more when this has passed.
pub const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// The least time between two readings because of tokens that no key opens. Nonsense causes no more calls than this.
const MIN_REREAD: Duration = Duration::from_secs(60);

/// The least time between two readings of keys that are too old, while they fail.
const RETRY: Duration = Duration::from_secs(5);

/// Reads the keys from where they are kept. Nothing if that fails.
pub type Source = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Option<TokenKeys>> + Send>> + Send + Sync>;

/// The keys that this process knows, and where newer ones would be.
///
/// An instance of the function lives for hours. When the keys are rotated, newer instances seal with the new key while
/// older ones still have the old; tokens of both have to open everywhere. The old key opens as the previous one, and a
/// token that no key opens makes an older instance read the keys again.
///
/// Ages are measured by the system's clock: the other one may stand still while Lambda keeps an instance frozen.
pub struct Keyring {
    known: RwLock<Known>,
    source: Option<Source>,
    /// When the keys were last asked for. Held while they are, so that they are asked for once.
    asked_at: Mutex<SystemTime>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<TokenKeys>,
    read_at: SystemTime,
}

impl Known {
    fn now(keys: TokenKeys) -> Self {
        Self { keys: Arc::new(keys), read_at: SystemTime::now() }
    }
}

impl Keyring {
    /// Keys that never change.
    pub fn fixed(keys: TokenKeys) -> Self {
        Self { known: RwLock::new(Known::now(keys)), source: None, asked_at: Mutex::new(SystemTime::now()) }
    }

    /// Keys that were read just now, and how to read them again.
    pub fn rotating(keys: TokenKeys, source: Source) -> Self {
        Self { source: Some(source), ..Self::fixed(keys) }
    }

    /// Seals a token by the newest key.
    ///
    /// # Errors
    /// As [`TokenKeys::seal`]; [`ErrorCode::StorageUnavailable`] if the known keys are too old and can't be read again.
    pub async fn seal(&self, upload: NewUpload, lifetime: Duration) -> Result<String, ErrorCode> {
        self.current().await?.seal(upload, lifetime)
    }

    /// Opens a token that `caller` presents; looks for newer keys if none of the known ones does.
    ///
    /// # Errors
    /// As [`TokenKeys::open`]; [`ErrorCode::StorageUnavailable`] if the known keys are too old and can't be read again.
    pub async fn open(&self, token: &str, caller: Option<&str>) -> Result<Claims, ErrorCode> {
        match self.current().await?.open(token, caller) {
            Err(ErrorCode::TokenInvalid) => {
                self.read_if(MIN_REREAD, MIN_REREAD).await;
                self.known().keys.open(token, caller)
            }
            outcome => outcome,
        }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn current(&self) -> Result<Arc<TokenKeys>, ErrorCode> {
        self.read_if(MAX_AGE, RETRY).await;
        let known = self.known();
        let is_good = self.source.is_none() || age(known.read_at) < MAX_AGE;
        is_good.then_some(known.keys).ok_or(ErrorCode::StorageUnavailable)
    }

    /// Reads the keys again if they are `old`, and were not asked for within `rest`.
    async fn read_if(&self, old: Duration, rest: Duration) {
        let Some(source) = self.source.as_ref().filter(|_| age(self.known().read_at) >= old) else { return };
        let mut asked_at = self.asked_at.lock().await;
        if age(self.known().read_at) < old || age(*asked_at) < rest {
            return;
        }
        *asked_at = SystemTime::now();
        let Some(keys) = source().await else { return warn!("the token keys can't be read again") };
        let known = Known { keys: Arc::new(keys), read_at: *asked_at };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        info!("the token keys were read again");
    }

    /// As if the keys had been read that much earlier.
    #[cfg(test)]
    fn aged(mut self, age: Duration) -> Self {
        self.known.get_mut().expect("not poisoned").read_at -= age;
        *self.asked_at.get_mut() -= age;
        self
    }
}

/// The time since then. After the clock was set back it can't be known.
fn age(since: SystemTime) -> Duration {
    since.elapsed().unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use directput::checksum::ChecksumAlgorithm;
    use directput::protocol::{ContentType, FileSize};

    use super::*;

    const OLD: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
    const NEW: &[u8; 32] = b"fedcba9876543210fedcba9876543210";
    const DAY: Duration = Duration::from_secs(86_400);

    fn keys(current: &[u8], previous: Option<&[u8]>) -> TokenKeys {
        TokenKeys::new(current, previous, "bucket").expect("long enough")
    }

    async fn sealed(keys: &Keyring) -> String {
        let upload = NewUpload {
            key: "uploads/key".to_owned(),
            upload: Some("id".to_owned()),
            size: FileSize::new(1).expect("in range"),
            part_bytes: 8 << 20,
            content_type: ContentType::unknown(),
            name: None,
            algorithm: ChecksumAlgorithm::Sha256,
            bytes: None,
            caller: None,
        };
        keys.seal(upload, DAY).await.expect("sealed")
    }

    /// An instance from before the rotation, and how often it has read the keys since.
    fn old_instance(finds: fn() -> Option<TokenKeys>) -> (Keyring, Arc<AtomicUsize>) {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let source: Source = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { finds() })
        });
        (Keyring::rotating(keys(OLD, None), source).aged(MIN_REREAD), reads)
    }

    #[tokio::test]
    async fn tokens_of_both_keys_open_on_instances_from_before_and_after_the_rotation() {
        let (old, reads) = old_instance(|| Some(keys(NEW, Some(OLD))));
        let new = Keyring::fixed(keys(NEW, Some(OLD)));
        let (from_old, from_new) = (sealed(&old).await, sealed(&new).await);
        assert!(new.open(&from_old, None).await.is_ok());
        assert!(old.open(&from_old, None).await.is_ok());
        assert_eq!(reads.load(Ordering::Relaxed), 0, "what opens needs no newer key");
        assert!(old.open(&from_new, None).await.is_ok());
        assert!(old.open(&from_old, None).await.is_ok(), "the old key is the previous one now");
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        let only_new = Keyring::fixed(keys(NEW, None));
        assert!(only_new.open(&sealed(&old).await, None).await.is_ok(), "it seals by the new key from now on");
    }

    #[tokio::test]
    async fn nonsense_makes_it_read_the_keys_once_a_minute_at_most() {
        let (old, reads) = old_instance(|| Some(keys(OLD, None)));
        for _ in 0..100 {
            assert_eq!(old.open("x.y.z", None).await, Err(ErrorCode::TokenInvalid));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn nonsense_within_a_minute_of_reading_the_keys_reads_none() {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let source: Source = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Some(keys(NEW, Some(OLD))) })
        });
        let young = Keyring::rotating(keys(OLD, None), source).aged(Duration::from_secs(59));
        let from_new = sealed(&Keyring::fixed(keys(NEW, None))).await;
        assert_eq!(young.open(&from_new, None).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        assert!(young.aged(Duration::from_secs(1)).open(&from_new, None).await.is_ok());
    }

    #[tokio::test]
    async fn another_callers_token_is_no_reason_to_read_the_keys() {
        let (old, reads) = old_instance(|| Some(keys(NEW, Some(OLD))));
        assert_eq!(old.open(&sealed(&old).await, Some("bob")).await, Err(ErrorCode::NotYourUpload));
        assert_eq!(reads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_it_knows_is_kept_if_the_keys_cannot_be_read() {
        let (old, reads) = old_instance(|| None);
        assert_eq!(old.open("x.y.z", None).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert!(old.open(&sealed(&old).await, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_key_that_was_taken_away_opens_nothing_after_five_minutes() {
        let (old, reads) = old_instance(|| Some(keys(NEW, None)));
        let leaked = sealed(&Keyring::fixed(keys(OLD, None))).await;
        let old = old.aged(MAX_AGE - MIN_REREAD - Duration::from_secs(2));
        assert!(old.open(&leaked, None).await.is_ok());
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        let old = old.aged(Duration::from_secs(2));
        assert_eq!(old.open(&leaked, None).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        let only_new = Keyring::fixed(keys(NEW, None));
        assert!(only_new.open(&sealed(&old).await, None).await.is_ok(), "nor does it seal by that key");
    }

    #[tokio::test]
    async fn keys_that_are_too_old_and_cannot_be_read_are_not_used() {
        let (old, reads) = old_instance(|| None);
        let (from_old, old) = (sealed(&old).await, old.aged(MAX_AGE));
        for _ in 0..100 {
            assert_eq!(old.open(&from_old, None).await, Err(ErrorCode::StorageUnavailable));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1, "it is not asked again at once");
        let old = old.aged(RETRY);
        assert_eq!(old.open(&from_old, None).await, Err(ErrorCode::StorageUnavailable));
        assert_eq!(reads.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_makes_it_read_the_keys() {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let source: Source = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Some(keys(OLD, None)) })
        });
        let mut ring = Keyring::rotating(keys(OLD, None), source);
        ring.known.get_mut().expect("not poisoned").read_at += DAY;
        *ring.asked_at.get_mut() += DAY;
        assert!(ring.open(&sealed(&ring).await, None).await.is_ok());
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn many_requests_at_once_read_the_keys_once() {
        let (old, reads) = old_instance(|| Some(keys(OLD, None)));
        let old = Arc::new(old.aged(MAX_AGE));
        let from_old = sealed(&Keyring::fixed(keys(OLD, None))).await;
        let open = |_| {
            let (old, token) = (Arc::clone(&old), from_old.clone());
            tokio::spawn(async move { old.open(&token, None).await.is_ok() })
        };
        for opened in (0..20).map(open).collect::<Vec<_>>() {
            assert!(opened.await.expect("no panic"));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }
}
