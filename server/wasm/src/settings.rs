//! Settings of a JavaScript server. They have the names of the Lambda function's environment variables. `npm/server` maps
//! its options to these names.

use std::collections::BTreeMap;

use directput_server::config::ConfigError;
use directput_server::token::MIN_KEY_BYTES;
use directput_server::{Api, Bucket, Config, TokenKeys};
use serde::Serialize;

/// Settings by their names.
pub struct Settings(BTreeMap<String, String>);

/// A setting that is missing or wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingError {
    /// Name of the setting.
    pub variable: String,
    /// Description of the values that are accepted.
    pub expected: String,
    /// Whether the setting is missing.
    pub is_missing: bool,
}

impl From<ConfigError> for SettingError {
    fn from(ConfigError { variable, expected, is_missing }: ConfigError) -> Self {
        Self { variable: variable.to_owned(), expected, is_missing }
    }
}

impl Settings {
    /// Reads the settings from a JSON object of texts.
    ///
    /// # Errors
    /// [`SettingError`] without a name if `json` is not such an object.
    pub fn parse(json: &str) -> Result<Self, SettingError> {
        let expected = "an object of texts".to_owned();
        serde_json::from_str(json).map(Self).map_err(|_| SettingError {
            variable: String::new(),
            expected,
            is_missing: false,
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn need(&self, name: &'static str, expected: &str) -> Result<&str, SettingError> {
        self.get(name).ok_or_else(|| wrong(name, expected, true))
    }

    /// Returns the API with these settings.
    ///
    /// # Errors
    /// [`SettingError`] about the first setting that is missing or wrong.
    pub fn api(&self) -> Result<Api, SettingError> {
        let config = Config::from_env(|name| self.get(name).map(str::to_owned))?;
        let bucket = Bucket::from_env(&config, |name| self.get(name).map(str::to_owned))?;
        Ok(Api { config, bucket: bucket.owned_by(self.get("BUCKET_OWNER").map(str::to_owned)), daily_limits: None })
    }

    /// Returns the keys of the upload tokens.
    ///
    /// # Errors
    /// [`SettingError`] if a key is missing or too short.
    pub fn keys(&self, bucket: &str) -> Result<TokenKeys, SettingError> {
        let expected = format!("a secret of at least {MIN_KEY_BYTES} characters");
        let current = self.need("TOKEN_KEY", &expected)?;
        let previous = self.get("PREVIOUS_TOKEN_KEY");
        let name = if current.len() < MIN_KEY_BYTES { "TOKEN_KEY" } else { "PREVIOUS_TOKEN_KEY" };
        let keys = TokenKeys::new(current.as_bytes(), previous.map(str::as_bytes), bucket);
        keys.ok_or_else(|| wrong(name, &expected, false))
    }
}

fn wrong(variable: &str, expected: &str, is_missing: bool) -> SettingError {
    SettingError { variable: variable.to_owned(), expected: expected.to_owned(), is_missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: &[(&str, &str)]) -> Settings {
        let mut all = BTreeMap::from([
            ("BUCKET".to_owned(), "bucket".to_owned()),
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("TOKEN_KEY".to_owned(), "k".repeat(32)),
        ]);
        all.extend(change.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Settings(all)
    }

    #[test]
    fn bucket_region_and_key_are_required() {
        assert!(settings(&[]).api().is_ok() && settings(&[]).keys("bucket").is_ok());
        for name in ["BUCKET", "AWS_REGION"] {
            let error = settings(&[(name, " ")]).api().expect_err(name);
            assert_eq!((error.variable.as_str(), error.is_missing), (name, true));
        }
        let error = settings(&[("TOKEN_KEY", "")]).keys("bucket").err().expect("no key");
        assert_eq!((error.variable.as_str(), error.is_missing), ("TOKEN_KEY", true));
    }

    #[test]
    fn an_error_names_the_setting() {
        for (name, value) in [("MAX_FILE_BYTES", "ten"), ("S3_ENDPOINT", "s3"), ("LANES", "fast")] {
            let error = settings(&[(name, value)]).api().expect_err(name);
            assert_eq!((error.variable.as_str(), error.is_missing), (name, false));
        }
        let public = settings(&[("S3_ENDPOINT", "http://s3"), ("S3_PUBLIC_URLS", "https://a, b")]).api();
        assert_eq!(public.expect_err("no URL").variable, "S3_PUBLIC_URLS");
        for name in ["TOKEN_KEY", "PREVIOUS_TOKEN_KEY"] {
            let error = settings(&[(name, "short")]).keys("bucket").err().expect(name);
            assert_eq!((error.variable.as_str(), error.is_missing), (name, false));
        }
        assert!(Settings::parse("[]").is_err() && Settings::parse("{\"BUCKET\":1}").is_err());
    }
}
