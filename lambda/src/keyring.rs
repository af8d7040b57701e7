//! The token keys while they are rotated: who meets a token of a newer key looks for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use directput::protocol::ErrorCode;
use tracing::{info, warn};

use crate::token::{Claims, NewUpload, TokenKeys};

/// So often keys are read again at most: whoever sends nonsense causes no more calls than this.
const MIN_REREAD: Duration = Duration::from_secs(60);

/// Reads the keys from where they are kept. Nothing if that fails.
pub type Source = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Option<TokenKeys>> + Send>> + Send + Sync>;

/// The keys that this process knows, and where newer ones would be.
///
/// An instance of the function lives for hours. When the keys are rotated, newer instances seal with the new key while
/// older ones still have the old; tokens of both have to open everywhere. The old key opens as the previous one, and a
/// token that no key opens makes an older instance read the keys again.
pub struct Keyring {
    keys: RwLock<Arc<TokenKeys>>,
    source: Option<Source>,
    read_at: Mutex<Instant>,
}

impl Keyring {
    /// Keys that never change.
    pub fn fixed(keys: TokenKeys) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), source: None, read_at: Mutex::new(Instant::now()) }
    }

    /// Keys that were read just now, and how to read them again.
    pub fn rotating(keys: TokenKeys, source: Source) -> Self {
        Self { source: Some(source), ..Self::fixed(keys) }
    }

    /// Seals a token by the newest key that is known here.
    ///
    /// # Errors
    /// As [`TokenKeys::seal`].
    pub fn seal(&self, upload: NewUpload, lifetime: Duration) -> Result<String, ErrorCode> {
        self.current().seal(upload, lifetime)
    }

    /// Opens a token that `caller` presents; looks for newer keys if none of the known ones does.
    ///
    /// # Errors
    /// As [`TokenKeys::open`].
    pub async fn open(&self, token: &str, caller: Option<&str>) -> Result<Claims, ErrorCode> {
        match self.current().open(token, caller) {
            Err(ErrorCode::TokenInvalid) if self.reread().await => self.current().open(token, caller),
            outcome => outcome,
        }
    }

    fn current(&self) -> Arc<TokenKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again, if it is time. Says whether they were read.
    async fn reread(&self) -> bool {
        let Some(source) = self.source.as_ref().filter(|_| self.is_time()) else { return false };
        let Some(keys) = source().await else {
            warn!("the token keys can't be read again");
            return false;
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        info!("the token keys were read again");
        true
    }

    fn is_time(&self) -> bool {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = read_at.elapsed() >= MIN_REREAD;
        if is_time {
            *read_at = Instant::now();
        }
        is_time
    }

    /// As if the keys had been read that long ago.
    #[cfg(test)]
    fn aged(self, age: Duration) -> Self {
        *self.read_at.lock().expect("not poisoned") -= age;
        self
    }
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

    fn sealed(keys: &Keyring) -> String {
        let upload = NewUpload {
            key: "uploads/key".to_owned(),
            upload: None,
            size: FileSize::new(1).expect("in range"),
            part_bytes: 1,
            content_type: ContentType::unknown(),
            name: None,
            algorithm: ChecksumAlgorithm::Sha256,
            caller: None,
        };
        keys.seal(upload, DAY).expect("sealed")
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
        let (from_old, from_new) = (sealed(&old), sealed(&new));
        assert!(new.open(&from_old, None).await.is_ok());
        assert!(old.open(&from_old, None).await.is_ok());
        assert_eq!(reads.load(Ordering::Relaxed), 0, "what opens needs no newer key");
        assert!(old.open(&from_new, None).await.is_ok());
        assert!(old.open(&from_old, None).await.is_ok(), "the old key is the previous one now");
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        let only_new = Keyring::fixed(keys(NEW, None));
        assert!(only_new.open(&sealed(&old), None).await.is_ok(), "it seals by the new key from now on");
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
        let from_new = sealed(&Keyring::fixed(keys(NEW, None)));
        assert_eq!(young.open(&from_new, None).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        assert!(young.aged(Duration::from_secs(1)).open(&from_new, None).await.is_ok());
    }

    #[tokio::test]
    async fn another_callers_token_is_no_reason_to_read_the_keys() {
        let (old, reads) = old_instance(|| Some(keys(NEW, Some(OLD))));
        assert_eq!(old.open(&sealed(&old), Some("bob")).await, Err(ErrorCode::NotYourUpload));
        assert_eq!(reads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_it_knows_is_kept_if_the_keys_cannot_be_read() {
        let (old, reads) = old_instance(|| None);
        assert_eq!(old.open("x.y.z", None).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert!(old.open(&sealed(&old), None).await.is_ok());
    }
}
