//! Lanes: the host names under which browsers send files to one bucket.
//!
//! A browser opens at most six connections to one host name. S3 has several host names for a bucket, so each additional
//! lane allows six more requests at once. URLs of all lanes address the same objects and need the same permissions.

use super::sign::Signer;

/// Host name and form of a bucket's URLs (S3 User Guide, "Virtual hosting of general purpose buckets", "Using
/// dual-stack endpoints", "Configuring fast, secure file transfers using Transfer Acceleration").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// `https://<bucket>.s3.<region>.amazonaws.com`
    Regional,
    /// `https://<bucket>.s3.dualstack.<region>.amazonaws.com`, over IPv6 or IPv4.
    DualStack,
    /// `https://s3.<region>.amazonaws.com/<bucket>`
    Path,
    /// `https://s3.dualstack.<region>.amazonaws.com/<bucket>`, over IPv6 or IPv4.
    DualStackPath,
    /// `https://<bucket>.s3-accelerate.amazonaws.com`. The bucket must have Transfer Acceleration, which costs extra.
    Accelerate,
}

/// Domains of AWS's partitions, each with the beginning of its regions' names (the S3 endpoint rules of the SDKs).
const DOMAINS: [(&str, &str); 5] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("", "amazonaws.com"),
];

impl Lane {
    const ALL: [(&'static str, Self); 5] = [
        ("regional", Self::Regional),
        ("dualstack", Self::DualStack),
        ("path", Self::Path),
        ("dualstack-path", Self::DualStackPath),
        ("accelerate", Self::Accelerate),
    ];

    /// Parses a list such as `regional,dualstack,path`. Returns `None` if a name is unknown or repeated, or if the list
    /// is empty.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut lanes = Vec::new();
        for name in text.split(',') {
            let (_, lane) = Self::ALL.into_iter().find(|(known, _)| *known == name.trim())?;
            if lanes.contains(&lane) {
                return None;
            }
            lanes.push(lane);
        }
        Some(lanes)
    }

    /// Returns the signer of this lane's requests.
    pub(super) fn signer(self, bucket: &str, region: &str) -> Signer {
        let domain = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("", |(_, domain)| domain);
        let host = match self {
            Self::Regional | Self::Path => format!("s3.{region}.{domain}"),
            Self::DualStack | Self::DualStackPath => format!("s3.dualstack.{region}.{domain}"),
            Self::Accelerate => format!("s3-accelerate.{domain}"),
        };
        // S3's certificate covers one label before the host, so a bucket's name with dots must be in the path.
        let is_path = matches!(self, Self::Path | Self::DualStackPath) || bucket.contains('.');
        match is_path {
            true => Signer::new("https", &host, format!("/{bucket}/"), region),
            false => Signer::new("https", &format!("{bucket}.{host}"), "/".to_owned(), region),
        }
    }
}
