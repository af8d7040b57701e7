//! Settings of the deployment. They are read from environment variables and checked before the first request.

use std::fmt;
use std::ops::RangeInclusive;

use directput::checksum::ChecksumAlgorithm;
use directput::plan::{BATCH_FILE_BYTES, MAX_OBJECT_BYTES, MAX_PART_BYTES, SINGLE_PUT_BYTES};

pub use crate::allowed_types::AllowedTypes;
use crate::download::DownloadNames;
use crate::s3::Lane;

/// Settings that every request is checked against.
#[derive(Debug, Clone)]
pub struct Config {
    // Bucket
    /// Name of the bucket that receives the files.
    pub bucket: String,
    /// Host names under which browsers may send to the bucket. The first is the default.
    pub lanes: Vec<Lane>,
    /// Whether browsers show or save a downloaded object, and whether they save it under the file's name.
    pub download_names: DownloadNames,

    // Accepted files and callers
    /// Maximum size of a file, in bytes.
    pub max_file_bytes: u64,
    /// Accepted media types.
    pub allowed_types: AllowedTypes,
    /// Accepted checksum algorithms.
    pub allowed_checksums: Vec<ChecksumAlgorithm>,
    /// Whether a request of an anonymous caller is refused.
    pub needs_caller: bool,

    // Signing
    /// Maximum size of a file that is sent in one PUT, in bytes.
    pub single_put_bytes: u64,
    /// Maximum number of parts that one call signs.
    pub max_parts_per_request: u32,
    /// Range of the lifetime of a presigned URL, in seconds.
    pub url_lifetime_seconds: RangeInclusive<u64>,
    /// Lifetime of the token of a multipart upload, in seconds. After this time the upload can't be continued. Also the
    /// maximum lifetime of the token of a single PUT.
    pub token_lifetime_seconds: u64,
}

/// Upper limit of the setting `URL_MAX_SECONDS`, in seconds.
const MAX_URL_SECONDS: u64 = 600;

/// Maximum number of uploads that one call opens.
const MAX_UPLOADS_PER_REQUEST: u32 = 128;

/// Error about an environment variable that is missing or wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Name of the variable.
    pub variable: &'static str,
    /// Description of the values that are accepted.
    pub expected: String,
    /// Whether the variable is not set at all.
    pub is_missing: bool,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_missing { "is not set" } else { "has a value that can't be used" };
        write!(f, "the environment variable {} {state}; expected {}", self.variable, self.expected)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Returns the defaults for a bucket: files of any type up to 50 GiB, required checksums, downloads saved under a
    /// name from the key, URLs with a lifetime of 60 s to 300 s, and uploads with a lifetime of at most a week.
    pub fn for_bucket(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            max_file_bytes: 50 << 30,
            allowed_types: AllowedTypes::any(),
            allowed_checksums: vec![ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Crc64nvme],
            download_names: DownloadNames::None,
            lanes: vec![Lane::Regional],
            single_put_bytes: SINGLE_PUT_BYTES,
            max_parts_per_request: 128,
            url_lifetime_seconds: 60..=300,
            token_lifetime_seconds: 604_800,
            needs_caller: false,
        }
    }

    /// Returns the maximum number of uploads that one call opens. Returns 0 if the largest file of a batch is too large
    /// for a single PUT, because a batch opens no multipart uploads.
    pub fn max_uploads_per_request(&self) -> u32 {
        if self.single_put_bytes < BATCH_FILE_BYTES { 0 } else { MAX_UPLOADS_PER_REQUEST }
    }

    /// Reads the configuration. `get` returns the value of an environment variable, or `None` if it is not set.
    ///
    /// # Errors
    /// [`ConfigError`] about the first variable that is missing or wrong.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = Reader { get };
        let mut config = Self::for_bucket(read.bucket()?);
        config.max_file_bytes = read.number("MAX_FILE_BYTES", config.max_file_bytes, 0..=MAX_OBJECT_BYTES)?;
        config.single_put_bytes = read.number("SINGLE_PUT_BYTES", config.single_put_bytes, 0..=MAX_PART_BYTES)?;
        let max_parts = read.number("MAX_PARTS_PER_REQUEST", config.max_parts_per_request.into(), 1..=1_000)?;
        config.max_parts_per_request = max_parts as u32;
        let shortest = read.number("URL_MIN_SECONDS", *config.url_lifetime_seconds.start(), 30..=MAX_URL_SECONDS)?;
        let longest = read.number("URL_MAX_SECONDS", *config.url_lifetime_seconds.end(), shortest..=MAX_URL_SECONDS)?;
        config.url_lifetime_seconds = shortest..=longest;
        config.token_lifetime_seconds = read.number("TOKEN_SECONDS", config.token_lifetime_seconds, 600..=604_800)?;
        config.needs_caller = read.flag("NEEDS_CALLER", config.needs_caller)?;
        if let Some(text) = read.text("ALLOWED_TYPES") {
            config.allowed_types = AllowedTypes::parse(&text).ok_or_else(|| ConfigError {
                variable: "ALLOWED_TYPES",
                expected: "media types with commas between them, such as image/*,application/pdf".to_owned(),
                is_missing: false,
            })?;
        }
        if let Some(text) = read.text("ALLOWED_CHECKSUMS") {
            let algorithms = text.split(',').map(|name| ChecksumAlgorithm::parse(name.trim()));
            config.allowed_checksums = algorithms.collect::<Option<_>>().ok_or_else(|| ConfigError {
                variable: "ALLOWED_CHECKSUMS",
                expected: "some of sha256, crc64nvme, crc64nvme-after and none, with commas between them".to_owned(),
                is_missing: false,
            })?;
        }
        if let Some(text) = read.text("DOWNLOAD_NAMES") {
            config.download_names = DownloadNames::parse(&text).ok_or_else(|| ConfigError {
                variable: "DOWNLOAD_NAMES",
                expected: "none, attachment or inline".to_owned(),
                is_missing: false,
            })?;
        }
        if let Some(text) = read.text("LANES") {
            config.lanes = Lane::parse_list(&text).ok_or_else(|| ConfigError {
                variable: "LANES",
                expected: "some of regional, dualstack, path, dualstack-path and accelerate, each once, with commas between them"
                    .to_owned(),
                is_missing: false,
            })?;
        }
        Ok(config)
    }
}

struct Reader<F> {
    get: F,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn text(&self, variable: &str) -> Option<String> {
        (self.get)(variable).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn bucket(&self) -> Result<String, ConfigError> {
        let name = self.text("BUCKET");
        let is_missing = name.is_none();
        // S3 User Guide, "General purpose bucket naming rules".
        name.filter(|name| {
            (3..=63).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
        })
        .ok_or_else(|| ConfigError {
            variable: "BUCKET",
            expected: "the name of an S3 bucket, 3 to 63 characters of a-z, 0-9, '.' and '-'".to_owned(),
            is_missing,
        })
    }

    fn flag(&self, variable: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.text(variable).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ConfigError { variable, expected: "true or false".to_owned(), is_missing: false }),
        }
    }

    fn number(&self, variable: &'static str, default: u64, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let Some(text) = self.text(variable) else { return Ok(default) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| ConfigError {
            variable,
            expected: format!("a whole number from {} to {}", range.start(), range.end()),
            is_missing: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_from(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_env(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn only_the_bucket_has_no_default() {
        let config = config_from(&[("BUCKET", "my-bucket")]).expect("enough");
        assert_eq!(config.bucket, "my-bucket");
        assert_eq!(config.url_lifetime_seconds, 60..=300);
        assert_eq!(config.token_lifetime_seconds, 604_800);
        assert_eq!((config.max_file_bytes, config.single_put_bytes), (53_687_091_200, 16_777_216));
        assert_eq!((config.max_parts_per_request, config.needs_caller), (128, false));
        assert_eq!((config.allowed_types, config.download_names), (AllowedTypes::any(), DownloadNames::None));
        assert_eq!(config.allowed_checksums, [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Crc64nvme]);
        assert_eq!(config.lanes, [Lane::Regional]);
    }

    #[test]
    fn each_variable_sets_its_field() {
        let config = config_from(&[
            ("BUCKET", " b.2 "),
            ("MAX_FILE_BYTES", "1"),
            ("SINGLE_PUT_BYTES", "2"),
            ("MAX_PARTS_PER_REQUEST", "3"),
            ("URL_MIN_SECONDS", "30"),
            ("URL_MAX_SECONDS", "600"),
            ("TOKEN_SECONDS", "600"),
            ("NEEDS_CALLER", "true"),
            ("ALLOWED_TYPES", "a/b"),
            ("ALLOWED_CHECKSUMS", "none, sha256"),
            ("DOWNLOAD_NAMES", "inline"),
            ("LANES", "dualstack, path"),
        ])
        .expect("all are good");
        assert_eq!((config.bucket.as_str(), config.max_file_bytes, config.single_put_bytes), ("b.2", 1, 2));
        assert_eq!((config.max_parts_per_request, config.token_lifetime_seconds), (3, 600));
        assert_eq!((config.url_lifetime_seconds, config.needs_caller), (30..=600, true));
        assert_eq!(config.allowed_types, AllowedTypes::parse("a/b").expect("sound"));
        assert_eq!(config.download_names, DownloadNames::Inline);
        assert_eq!(config.lanes, [Lane::DualStack, Lane::Path]);
        assert_eq!(config.allowed_checksums, [ChecksumAlgorithm::None, ChecksumAlgorithm::Sha256]);
        let unset =
            config_from(&[("BUCKET", "b-1"), ("MAX_FILE_BYTES", " "), ("NEEDS_CALLER", "false")]).expect("enough");
        assert_eq!((unset.max_file_bytes, unset.needs_caller), (50 << 30, false));
    }

    #[test]
    fn a_bucket_name_follows_the_rules_of_s3() {
        for (name, is_taken) in [
            ("abc", true),
            ("a.c-9", true),
            ("ab", false),
            (&"a".repeat(63), true),
            (&"a".repeat(64), false),
            ("aBc", false),
            ("a_c", false),
            ("a/c", false),
        ] {
            assert_eq!(config_from(&[("BUCKET", name)]).is_ok(), is_taken, "{name}");
        }
    }

    #[test]
    fn an_error_names_the_variable_and_the_expected_values() {
        let error = config_from(&[]).expect_err("no bucket").to_string();
        assert!(error.contains("BUCKET is not set; expected the name of an S3 bucket"), "{error}");
        for (variable, value, expected) in [
            ("MAX_FILE_BYTES", "ten", "a whole number from 0"),
            ("MAX_FILE_BYTES", "-1", "a whole number from 0"),
            ("URL_MAX_SECONDS", "601", "from 60 to 600"),
            ("URL_MIN_SECONDS", "5", "from 30 to 600"),
            ("MAX_PARTS_PER_REQUEST", "0", "from 1 to 1000"),
            ("ALLOWED_CHECKSUMS", "sha256,md5", "some of sha256, crc64nvme, crc64nvme-after and none"),
            ("ALLOWED_TYPES", "image", "media types"),
            ("DOWNLOAD_NAMES", "yes", "none, attachment or inline"),
            ("LANES", "regional,ipv6", "some of regional, dualstack"),
            ("LANES", "path,path", "each once"),
            ("NEEDS_CALLER", "yes", "true or false"),
            ("ALLOWED_TYPES", "*/png", "media types"),
            ("ALLOWED_TYPES", "/png", "media types"),
            ("ALLOWED_TYPES", "image/", "media types"),
            ("ALLOWED_TYPES", "image/p ng", "media types"),
            ("ALLOWED_TYPES", "im age/png", "media types"),
            ("BUCKET", "No Bucket", "the name of an S3 bucket"),
        ] {
            let pairs = [(variable, value), ("BUCKET", "my-bucket")];
            let error = config_from(&pairs).expect_err(value);
            assert_eq!((error.variable, error.is_missing), (variable, false));
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
