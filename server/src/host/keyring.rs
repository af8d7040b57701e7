//! The token keys of this process. The process reads the keys again when they are 5 minutes old, and when no key opens
//! a token.

use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use directput::protocol::ErrorCode;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::token::TokenKeys;

/// Maximum age of the keys. A key that is removed from the secret, for example after a leak, opens no tokens after this
/// time.
pub const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Minimum time between two reads that invalid tokens cause. Limits the calls to Secrets Manager that a client can
/// cause.
const MIN_REREAD: Duration = Duration::from_secs(60);

/// Minimum time between two attempts to read the keys after they have reached [`MAX_AGE`].
const RETRY: Duration = Duration::from_secs(5);

/// Returns the current time. In tests, the test sets the time.
type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// Function that reads the keys from the secret. Returns `None` if reading fails.
pub type Source = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Option<TokenKeys>> + Send>> + Send + Sync>;

/// The keys that this process knows, and the function that reads newer keys.
///
/// Every instance of the Lambda function must open the tokens of all other instances, also while a key is rotated.
/// After a rotation, new instances seal with the new key, and also open tokens of the previous key. Old instances know
/// only the previous key. When an old instance can't open a token, the instance reads the keys again.
///
/// The system's clock measures the age of the keys, because the monotonic clock may stop while Lambda freezes an
/// instance.
pub struct Keyring {
    known: RwLock<Known>,
    source: Option<Source>,
    /// Time of the last attempt to read the keys. The lock is held during the attempt, so concurrent requests cause
    /// only one attempt.
    attempted_at: Mutex<SystemTime>,
    clock: Clock,
}

#[derive(Clone)]
struct Known {
    keys: Arc<TokenKeys>,
    read_at: SystemTime,
}

impl Keyring {
    /// Returns a keyring whose keys never change.
    pub fn fixed(keys: TokenKeys) -> Self {
        Self::with_clock(keys, None, Box::new(SystemTime::now))
    }

    /// Returns a keyring with keys that were read just now. `source` reads newer keys.
    pub fn rotating(keys: TokenKeys, source: Source) -> Self {
        Self::with_clock(keys, Some(source), Box::new(SystemTime::now))
    }

    fn with_clock(keys: TokenKeys, source: Option<Source>, clock: Clock) -> Self {
        let now = clock();
        let known = Known { keys: Arc::new(keys), read_at: now };
        Self { known: RwLock::new(known), source, attempted_at: Mutex::new(now), clock }
    }

    /// Calls `work` with the known keys. If `needs_newer` says that the keys opened no token, reads the keys again, and
    /// calls `work` once more if they have changed. Returns the last result and the keys that it was made with.
    ///
    /// # Errors
    /// [`ErrorCode::StorageUnavailable`] if the keys have reached [`MAX_AGE`] and can't be read again.
    pub async fn try_keys<T>(
        &self,
        work: impl Fn(&TokenKeys) -> T,
        needs_newer: impl Fn(&T) -> bool,
    ) -> Result<(T, Arc<TokenKeys>), ErrorCode> {
        let keys = self.current().await?;
        let result = work(&keys);
        if !needs_newer(&result) {
            return Ok((result, keys));
        }
        self.read_if(MIN_REREAD, MIN_REREAD).await;
        let newer = self.known().keys;
        let has_changed = !Arc::ptr_eq(&newer, &keys);
        Ok(if has_changed { (work(&newer), newer) } else { (result, keys) })
    }

    async fn current(&self) -> Result<Arc<TokenKeys>, ErrorCode> {
        self.read_if(MAX_AGE, RETRY).await;
        let known = self.known();
        let is_good = self.source.is_none() || self.age(known.read_at) < MAX_AGE;
        is_good.then_some(known.keys).ok_or(ErrorCode::StorageUnavailable)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys again if they are at least `min_age` old and the last attempt to read them was at least
    /// `min_interval` ago.
    async fn read_if(&self, min_age: Duration, min_interval: Duration) {
        let Some(source) = self.source.as_ref().filter(|_| self.age(self.known().read_at) >= min_age) else { return };
        let mut attempted_at = self.attempted_at.lock().await;
        if self.age(self.known().read_at) < min_age || self.age(*attempted_at) < min_interval {
            return;
        }
        *attempted_at = (self.clock)();
        let Some(keys) = source().await else { return warn!("the token keys can't be read again") };
        let known = Known { keys: Arc::new(keys), read_at: *attempted_at };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        info!("the token keys were read again");
    }

    /// Returns the time since `then`. Returns [`Duration::MAX`] if `then` is in the future, because the clock was set
    /// back and the age is unknown.
    fn age(&self, then: SystemTime) -> Duration {
        (self.clock)().duration_since(then).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use directput::checksum::ChecksumAlgorithm;
    use directput::protocol::{ContentType, FileSize};

    use super::*;
    use crate::token::{Claims, NewUpload};

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
        keys.current().await.expect("keys").seal(upload, DAY, SystemTime::now()).expect("sealed")
    }

    async fn open(keys: &Keyring, token: &str, caller: Option<&str>) -> Result<Claims, ErrorCode> {
        let open = |keys: &TokenKeys| keys.open(token, caller, SystemTime::now());
        let is_invalid = |opened: &Result<Claims, ErrorCode>| *opened == Err(ErrorCode::TokenInvalid);
        keys.try_keys(open, is_invalid).await?.0
    }

    /// An instance of the Lambda function with its own clock. The instance has read the old key at second 1,000.
    struct Instance {
        keys: Keyring,
        seconds: Arc<AtomicU64>,
        reads: Arc<AtomicU64>,
    }

    impl Instance {
        /// Each read after the first takes `reading_seconds` and returns the result of `find`.
        fn new(find: fn() -> Option<TokenKeys>, reading_seconds: u64) -> Self {
            let (seconds, reads) = (Arc::new(AtomicU64::new(1_000)), Arc::new(AtomicU64::new(0)));
            let (clock, at_source, counted) = (Arc::clone(&seconds), Arc::clone(&seconds), Arc::clone(&reads));
            let source: Source = Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                let clock = Arc::clone(&at_source);
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    clock.fetch_add(reading_seconds, Ordering::Relaxed);
                    find()
                })
            });
            let clock: Clock =
                Box::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)));
            Self { keys: Keyring::with_clock(keys(OLD, None), Some(source), clock), seconds, reads }
        }

        /// Sets the clock to a number of seconds after the first read.
        fn set_clock(&self, seconds: u64) {
            self.seconds.store(1_000 + seconds, Ordering::Relaxed);
        }

        fn reads(&self) -> u64 {
            self.reads.load(Ordering::Relaxed)
        }

        async fn open(&self, token: &str) -> Result<Claims, ErrorCode> {
            open(&self.keys, token, None).await
        }
    }

    #[tokio::test]
    async fn tokens_of_both_keys_open_on_instances_started_before_and_after_the_rotation() {
        let old = Instance::new(|| Some(keys(NEW, Some(OLD))), 0);
        let new = Keyring::fixed(keys(NEW, Some(OLD)));
        let (from_old, from_new) = (sealed(&old.keys).await, sealed(&new).await);
        old.set_clock(60);
        assert!(open(&new, &from_old, None).await.is_ok());
        assert!(old.open(&from_old).await.is_ok());
        assert_eq!(old.reads(), 0, "a token that a known key opens causes no read");
        assert!(old.open(&from_new).await.is_ok());
        assert!(old.open(&from_old).await.is_ok(), "the old key is now the previous key");
        assert_eq!(old.reads(), 1);
        let only_new = Keyring::fixed(keys(NEW, None));
        assert!(open(&only_new, &sealed(&old.keys).await, None).await.is_ok(), "the instance seals with the new key");
    }

    #[tokio::test]
    async fn invalid_tokens_cause_at_most_one_read_a_minute() {
        let instance = Instance::new(|| Some(keys(OLD, None)), 0);
        for (seconds, reads) in [(0, 0), (59, 0), (60, 1), (60, 1), (61, 1), (119, 1), (120, 2), (121, 2)] {
            instance.set_clock(seconds);
            assert_eq!(instance.open("x.y.z").await, Err(ErrorCode::TokenInvalid));
            assert_eq!(instance.reads(), reads, "after {seconds} s");
        }
    }

    #[tokio::test]
    async fn another_callers_token_causes_no_read() {
        let instance = Instance::new(|| Some(keys(NEW, Some(OLD))), 0);
        let token = sealed(&instance.keys).await;
        instance.set_clock(60);
        assert_eq!(open(&instance.keys, &token, Some("bob")).await, Err(ErrorCode::NotYourUpload));
        assert_eq!(instance.reads(), 0);
    }

    #[tokio::test]
    async fn known_keys_stay_in_use_if_they_cannot_be_read_again() {
        let instance = Instance::new(|| None, 0);
        instance.set_clock(60);
        assert_eq!(instance.open("x.y.z").await, Err(ErrorCode::TokenInvalid));
        assert_eq!(instance.reads(), 1);
        assert!(instance.open(&sealed(&instance.keys).await).await.is_ok());
    }

    #[tokio::test]
    async fn a_removed_key_opens_nothing_after_five_minutes() {
        let instance = Instance::new(|| Some(keys(NEW, None)), 0);
        let leaked = sealed(&instance.keys).await;
        instance.set_clock(299);
        assert!(instance.open(&leaked).await.is_ok());
        assert_eq!(instance.reads(), 0);
        instance.set_clock(300);
        assert_eq!(instance.open(&leaked).await, Err(ErrorCode::TokenInvalid));
        assert_eq!(instance.reads(), 1);
        let only_new = Keyring::fixed(keys(NEW, None));
        assert!(
            open(&only_new, &sealed(&instance.keys).await, None).await.is_ok(),
            "the instance seals with the new key"
        );
    }

    #[tokio::test]
    async fn keys_that_are_too_old_are_not_used_and_are_requested_every_five_seconds() {
        let instance = Instance::new(|| None, 0);
        let token = sealed(&instance.keys).await;
        for (seconds, reads) in [(300, 1), (300, 1), (301, 1), (304, 1), (305, 2), (306, 2), (310, 3)] {
            instance.set_clock(seconds);
            assert_eq!(instance.open(&token).await, Err(ErrorCode::StorageUnavailable), "after {seconds} s");
            assert_eq!(instance.reads(), reads, "after {seconds} s");
        }
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_causes_a_read() {
        let instance = Instance::new(|| Some(keys(OLD, None)), 0);
        let token = sealed(&instance.keys).await;
        instance.seconds.fetch_sub(1, Ordering::Relaxed);
        assert!(instance.open(&token).await.is_ok());
        assert_eq!(instance.reads(), 1);
    }

    #[tokio::test]
    async fn concurrent_requests_cause_one_read_however_long_it_takes() {
        for reading_seconds in [0, 4, 5, 6, 299] {
            let instance = Instance::new(|| Some(keys(OLD, None)), reading_seconds);
            let token = sealed(&instance.keys).await;
            instance.set_clock(300);
            let (first, second) = tokio::join!(instance.open(&token), instance.open(&token));
            assert!(first.is_ok() && second.is_ok());
            assert_eq!(instance.reads(), 1, "reading takes {reading_seconds} s");
        }
    }
}
