//! Lanes: the host names under which browsers send files to one bucket.
//!
//! A browser opens at most six connections to one host name. S3 has several host names for a bucket, so each additional
//! lane allows six more requests at once. URLs of all lanes address the same objects and need the same permissions.

use aws_sdk_s3::config::Builder;

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

    /// Returns `config`, changed so that a client signs URLs of this lane.
    pub fn configure(self, config: Builder) -> Builder {
        match self {
            Self::Regional => config,
            Self::DualStack => config.use_dual_stack(true),
            Self::Path => config.force_path_style(true),
            Self::DualStackPath => config.use_dual_stack(true).force_path_style(true),
            Self::Accelerate => config.accelerate(true),
        }
    }
}
