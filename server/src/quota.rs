//! Daily quotas of callers. A day begins at 00:00 UTC.
//!
//! An upload is counted with its whole size when it is opened, even if it is never completed, because an incomplete
//! upload also uses S3.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::ConfigError;
use crate::object_key::hash_of_caller;

const SECONDS_PER_DAY: u64 = 86_400;

/// Time from the beginning of a day until the day's counts expire, in seconds. Longer than a day, because clocks can be
/// wrong.
const KEPT_SECONDS: u64 = 3 * SECONDS_PER_DAY;

/// Name under which all anonymous callers are counted together.
const ANONYMOUS: &str = "anonymous";

/// Limits of the uploads that one caller may open in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyLimits {
    /// Maximum number of uploads.
    pub uploads: u64,
    /// Maximum size of all uploads together, in bytes.
    pub bytes: u64,
}

impl DailyLimits {
    /// Reads the name of the DynamoDB table that counts uploads, and the limits. Returns `None` if no table is set.
    /// `get` returns the value of an environment variable, or `None` if the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError`] about a limit that is missing or not a number.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Option<(String, Self)>, ConfigError> {
        let Some(table) = get("QUOTA_TABLE").filter(|table| !table.is_empty()) else { return Ok(None) };
        let limit = |variable: &'static str| {
            let error =
                |is_missing| ConfigError { variable, expected: "a number, 0 for no limit".to_owned(), is_missing };
            let text = get(variable).ok_or_else(|| error(true))?;
            let limit: u64 = text.trim().parse().map_err(|_| error(false))?;
            Ok(if limit == 0 { u64::MAX } else { limit })
        };
        Ok(Some((table, Self { uploads: limit("QUOTA_UPLOADS")?, bytes: limit("QUOTA_BYTES")? })))
    }

    /// Returns the count of an upload of `bytes` bytes that `caller` opens at the time `now`.
    pub(crate) fn use_of(self, caller: Option<&str>, bytes: u64, now: SystemTime) -> Use {
        let day = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / SECONDS_PER_DAY;
        // No hash equals `ANONYMOUS`, because a hash consists of 32 hexadecimal digits.
        let id = format!("{day}#{}", caller.map_or_else(|| ANONYMOUS.to_owned(), hash_of_caller));
        Use { id, bytes, limits: self, expires: day * SECONDS_PER_DAY + KEPT_SECONDS }
    }
}

/// An upload to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Id of the count: the number of days since 1970, and a hash of the caller or `anonymous`.
    pub id: String,
    /// Size of the upload, in bytes.
    pub bytes: u64,
    /// Limits that the count, with this upload, must not exceed.
    pub limits: DailyLimits,
    /// Time at which the count expires, in seconds since 1970.
    pub expires: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn used(caller: Option<&str>, seconds: u64) -> Use {
        DailyLimits { uploads: 2, bytes: 10 }.use_of(caller, 5, UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn each_caller_has_one_count_per_day() {
        let noon = 20_000 * SECONDS_PER_DAY + SECONDS_PER_DAY / 2;
        let ids = [
            used(Some("alice"), noon).id,
            used(Some("bob"), noon).id,
            used(Some("alice"), noon + SECONDS_PER_DAY).id,
            used(None, noon).id,
            used(Some(ANONYMOUS), noon).id,
        ];
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id), "{id}");
        }
        assert_eq!(ids[0], used(Some("alice"), noon + 60).id);
        assert_eq!(ids[3], "20000#anonymous");
        assert!(!ids[0].contains("alice"));
    }

    #[test]
    fn limits_are_numbers_and_zero_means_no_limit() {
        let read = |uploads: Option<&'static str>, bytes: &'static str| {
            DailyLimits::from_env(move |name| match name {
                "QUOTA_TABLE" => Some("counts".to_owned()),
                "QUOTA_UPLOADS" => uploads.map(str::to_owned),
                _ => Some(bytes.to_owned()),
            })
        };
        let limits = |uploads, bytes| Ok(Some(("counts".to_owned(), DailyLimits { uploads, bytes })));
        assert_eq!(read(Some("20"), "1073741824"), limits(20, 1 << 30));
        assert_eq!(read(Some("0"), "0"), limits(u64::MAX, u64::MAX));
        for (uploads, bytes, variable, is_missing) in
            [(None, "1", "QUOTA_UPLOADS", true), (Some("1"), "1.07E9", "QUOTA_BYTES", false)]
        {
            let error = read(uploads, bytes).expect_err("no number");
            assert_eq!((error.variable, error.is_missing), (variable, is_missing));
        }
        for table in [None, Some(String::new())] {
            assert_eq!(DailyLimits::from_env(|_| table.clone()), Ok(None));
        }
    }

    #[test]
    fn a_count_expires_three_days_after_its_day_began() {
        // The first and the last second of 2024-10-04 UTC.
        for at in [1_728_000_000, 1_728_086_399] {
            assert_eq!(used(None, at).expires, 1_728_259_200);
        }
    }
}
