//! Lanes: the host names under which browsers reach a bucket.
//!
//! Browsers open six connections to a host. S3 has several host names for one bucket, so several lanes carry several
//! times as many requests at once. URLs of all lanes lead to the same objects, with the same rights.

use aws_sdk_s3::config::Builder;

/// Host name and form of a bucket's URLs (S3 User Guide, "Virtual hosting of general purpose buckets", "Using dual-stack
/// endpoints", "Configuring fast, secure file transfers using Transfer Acceleration").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// `https://<bucket>.s3.<region>.amazonaws.com`
    Regional,
    /// `https://<bucket>.s3.dualstack.<region>.amazonaws.com`, by IPv6 or IPv4.
    DualStack,
    /// `https://s3.<region>.amazonaws.com/<bucket>`
    Path,
    /// `https://s3.dualstack.<region>.amazonaws.com/<bucket>`, by IPv6 or IPv4.
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

    /// Reads a list such as `regional,dualstack,path`. Returns `None` if a name is unknown or repeated, or if there is
    /// none.
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

    /// Returns the configuration of a client that signs for this lane.
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
