//! The kind of a network link.

use serde::{Deserialize, Serialize};

/// Kind of network link, from `navigator.connection` if the browser has it, with an assumed speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkHint {
    /// 50 kbit/s.
    #[serde(rename = "slow-2g")]
    Slow2g,
    /// 100 kbit/s.
    #[serde(rename = "2g")]
    G2,
    /// 1 Mbit/s.
    #[serde(rename = "3g")]
    G3,
    /// 10 Mbit/s.
    #[serde(rename = "4g")]
    G4,
    /// 30 Mbit/s.
    Wifi,
    /// 50 Mbit/s.
    Ethernet,
    /// 1 Mbit/s, a cautious assumption.
    #[default]
    Unknown,
}

impl NetworkHint {
    /// Reads the name on the wire. Returns `None` if the name is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "slow-2g" => Self::Slow2g,
            "2g" => Self::G2,
            "3g" => Self::G3,
            "4g" => Self::G4,
            "wifi" => Self::Wifi,
            "ethernet" => Self::Ethernet,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// Returns the speed that is assumed until a speed is measured, in bit/s.
    pub fn bits_per_second(self) -> u64 {
        match self {
            Self::Slow2g => 50_000,
            Self::G2 => 100_000,
            Self::G3 | Self::Unknown => 1_000_000,
            Self::G4 => 10_000_000,
            Self::Wifi => 30_000_000,
            Self::Ethernet => 50_000_000,
        }
    }
}
