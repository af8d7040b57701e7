//! What the application allows the caller of one request.

use std::fmt;

use crate::config::AllowedTypes;

/// Narrower rules for one request, in addition to those of the deployment. The application makes them, for example from
/// the caller's session. They apply when an upload is opened; its token keeps the key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grant {
    /// Maximum size of a file, in bytes.
    pub max_file_bytes: Option<u64>,
    /// Accepted media types.
    pub allowed_types: Option<AllowedTypes>,
    /// Folder of the object's key, below `uploads/`.
    pub folder: Option<Folder>,
}

/// Folder of keys, such as `tenant-7` or `tenant-7/avatars`: at most 128 characters of `a-z`, `A-Z`, `0-9`, `-` and `_`,
/// and single slashes between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// Maximum length, in bytes.
    const MAX_BYTES: usize = 128;

    /// Returns the folder, or `None` if `text` has other characters, an empty name or too many characters.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_good = text.len() <= Self::MAX_BYTES && text.split('/').all(is_name);
        is_good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_harmless_names() {
        for good in ["a", "tenant-7", "A/b_c/0", &"a".repeat(128)] {
            assert_eq!(Folder::parse(good).map(|folder| folder.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "/", "a/", "/a", "a//b", "..", "a/../b", "a.b", "a b", "é", "%2e", "a\\b", &"a".repeat(129)] {
            assert_eq!(Folder::parse(bad), None, "{bad}");
        }
    }
}
