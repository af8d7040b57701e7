//! The bucket: its addresses, and the signers of its requests.

use std::fmt;
use std::time::SystemTime;

use http::Uri;

use super::Credentials;
use super::lane::Lane;
use super::sign::{Signer, Signing};
use crate::config::{Config, ConfigError};

/// A bucket, the address at which the API calls S3, and the addresses at which browsers send files.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    /// Address at which the API calls S3.
    pub(crate) api: Signer,
    /// Addresses at which browsers send files, one for each lane. The first is the default lane's. Never empty.
    lanes: Vec<Signer>,
    /// Id of the AWS account that must own the bucket. `None`: any account.
    pub(crate) owner: Option<String>,
}

/// The address of an S3 server is not a URL of the form `https://host`, `https://host:port` or `https://host/path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointError;

const EXPECTED: &str = "the URL of an S3 server, such as https://s3.example.com";

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {EXPECTED}")
    }
}

impl std::error::Error for EndpointError {}

impl Bucket {
    /// Returns a bucket of AWS. Browsers send files at the addresses of `lanes`, or at the regional address if `lanes`
    /// is empty.
    pub fn in_aws(name: &str, region: &str, lanes: &[Lane]) -> Self {
        let at = |lane: Lane| lane.signer(name, region);
        let lanes = if lanes.is_empty() { &[Lane::Regional][..] } else { lanes };
        let lanes = lanes.iter().copied().map(at).collect();
        Self { name: name.to_owned(), api: at(Lane::Regional), lanes, owner: None }
    }

    /// Returns a bucket of another S3 server at the URL `endpoint`. The bucket's name is part of the path.
    ///
    /// # Errors
    /// [`EndpointError`] if `endpoint` is not such a URL.
    pub fn at(endpoint: &str, name: &str, region: &str) -> Result<Self, EndpointError> {
        let signer = || signer_at(endpoint, name, region);
        Ok(Self { name: name.to_owned(), api: signer()?, lanes: vec![signer()?], owner: None })
    }

    /// Returns the same bucket of another S3 server, with the URLs at which browsers send files. The first is the
    /// default lane's. If `endpoints` is empty, the bucket keeps its lanes.
    ///
    /// # Errors
    /// [`EndpointError`] about the first wrong URL.
    pub fn with_lanes_at<'e>(self, endpoints: impl IntoIterator<Item = &'e str>) -> Result<Self, EndpointError> {
        let lanes = endpoints.into_iter().map(|endpoint| signer_at(endpoint, &self.name, self.api.region()));
        let lanes: Vec<_> = lanes.collect::<Result<_, _>>()?;
        Ok(if lanes.is_empty() { self } else { Self { lanes, ..self } })
    }

    /// Returns the bucket of `config`: in the region `AWS_REGION` of AWS, or on the S3 server at `S3_ENDPOINT`, which
    /// browsers reach at the URLs in `S3_PUBLIC_URLS`. `get` returns the value of an environment variable.
    ///
    /// # Errors
    /// [`ConfigError`] about the first variable that is missing or wrong.
    pub fn from_env(config: &Config, get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name| get(name).filter(|text| !text.is_empty());
        let wrong =
            |variable| move |EndpointError| ConfigError { variable, expected: EXPECTED.to_owned(), is_missing: false };
        let expected = "the region of the bucket, such as eu-central-1".to_owned();
        let region = get("AWS_REGION").ok_or(ConfigError { variable: "AWS_REGION", expected, is_missing: true })?;
        let Some(endpoint) = get("S3_ENDPOINT") else {
            return Ok(Self::in_aws(&config.bucket, &region, &config.lanes));
        };
        let bucket = Self::at(&endpoint, &config.bucket, &region).map_err(wrong("S3_ENDPOINT"))?;
        let urls = get("S3_PUBLIC_URLS");
        let urls = urls.iter().flat_map(|text| text.split(',')).map(str::trim);
        bucket.with_lanes_at(urls).map_err(wrong("S3_PUBLIC_URLS"))
    }

    /// Sets the id of the AWS account that must own the bucket. S3 refuses calls if another account owns the bucket.
    pub fn owned_by(self, account: Option<String>) -> Self {
        Self { owner: account, ..self }
    }

    /// Returns the number of lanes, at least 1.
    pub fn lane_count(&self) -> u32 {
        self.lanes.len() as u32
    }

    /// Begins to sign PUTs for a lane. Signs for the default lane if `lane` is unknown, because the client may have the
    /// number from an earlier configuration. Returns `None` if the time is outside the range of S3's date format.
    pub fn sign(&self, lane: u32, credentials: &Credentials, now: SystemTime) -> Option<Signing<'_>> {
        self.lanes.get(lane as usize).unwrap_or(&self.lanes[0]).begin(credentials, now)
    }
}

fn signer_at(endpoint: &str, name: &str, region: &str) -> Result<Signer, EndpointError> {
    let uri: Uri = endpoint.parse().map_err(|_| EndpointError)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(EndpointError) };
    let has_credentials = authority.as_str().contains('@');
    if !["http", "https"].contains(&scheme) || has_credentials || uri.query().is_some() {
        return Err(EndpointError);
    }
    // HTTP clients omit the scheme's default port from the header `Host`, which is signed.
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = authority.as_str().strip_suffix(default_port).unwrap_or(authority.as_str());
    let path = uri.path().trim_end_matches('/');
    Ok(Signer::new(scheme, host, format!("{path}/{name}/"), region))
}
