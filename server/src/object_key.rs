//! Keys and names of objects. The API chooses each key. The only text of the client in a key is a harmless file
//! extension.

use std::fmt::Write as _;

use directput::protocol::FileName;
use percent_encoding::utf8_percent_encode;
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::grant::Folder;
use crate::s3::UNRESERVED;

/// Prefix of all keys. The function's role permits writing only under this prefix.
pub const PREFIX: &str = "uploads/";

/// Maximum length of an extension, in characters.
const MAX_EXTENSION: usize = 10;

/// Maximum length of a percent-encoded name, in bytes. S3 limits the user metadata of an object to 2 KB, including the
/// names of the headers (S3 User Guide, "Working with object metadata").
const MAX_ENCODED_NAME_BYTES: usize = 1_800;

/// Returns the pseudonym of a caller in keys and logs: the first 128 bits of the SHA-256 hash of the caller's name, in
/// hexadecimal. Pseudonyms distinguish callers without their names.
pub fn hash_of_caller(caller: &str) -> String {
    let mut text = String::new();
    for byte in &Sha256::digest(caller.as_bytes())[..16] {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns a new key: `uploads/<uuid>.<ext>`, or `uploads/<hash of the caller>/<uuid>.<ext>` for a signed-in caller. A
/// folder comes after `uploads/`. The UUID is made of `random`.
pub fn new_key(folder: Option<&Folder>, caller: Option<&str>, name: &FileName, random: [u8; 16]) -> String {
    let mut key = PREFIX.to_owned();
    if let Some(folder) = folder {
        let _ = write!(key, "{folder}/");
    }
    if let Some(caller) = caller {
        key.push_str(&hash_of_caller(caller));
        key.push('/');
    }
    let _ = write!(key, "{}", Builder::from_random_bytes(random).into_uuid());
    if let Some(extension) = extension(name.as_str()) {
        key.push('.');
        key.push_str(&extension);
    }
    key
}

/// Returns the lower-case extension of a file name if it is harmless: 1 to 10 characters of `a-z0-9`.
fn extension(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next()?;
    let (stem, extension) = base.rsplit_once('.')?;
    let is_harmless = !stem.is_empty()
        && (1..=MAX_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_harmless.then(|| extension.to_ascii_lowercase())
}

/// Returns the file's name for a metadata header: percent-encoded UTF-8, cut to the length that S3 accepts.
pub fn name_for_metadata(name: &FileName) -> String {
    let encoded_bytes = |character: char| {
        let mut utf8 = [0; 4];
        utf8_percent_encode(character.encode_utf8(&mut utf8), UNRESERVED).map(str::len).sum()
    };
    utf8_percent_encode(&fit(name.as_str(), MAX_ENCODED_NAME_BYTES, encoded_bytes), UNRESERVED).to_string()
}

/// Shortens a name to at most `max_bytes` bytes. `bytes_of` returns the length of one character in bytes. Shortens only
/// the stem, by whole characters, and keeps a harmless extension.
pub(crate) fn fit(name: &str, max_bytes: usize, bytes_of: impl Fn(char) -> usize) -> String {
    let bytes_of_all = |text: &str| text.chars().map(&bytes_of).sum::<usize>();
    if bytes_of_all(name) <= max_bytes {
        return name.to_owned();
    }
    let tail = extension(name).map_or("", |extension| &name[name.len() - extension.len() - 1..]);
    let mut left = max_bytes.saturating_sub(bytes_of_all(tail));
    let stem = name[..name.len() - tail.len()].chars().take_while(|character| {
        let next = left.checked_sub(bytes_of(*character));
        left = next.unwrap_or_default();
        next.is_some()
    });
    stem.chain(tail.chars()).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const RANDOM: [u8; 16] = [0xff; 16];

    fn name(text: &str) -> FileName {
        FileName::parse(text).expect("a name")
    }

    /// Splits a key into the prefix, the UUID and the extension.
    fn parts_of(key: &str) -> (&str, &str, &str) {
        let at = key.rfind('/').map_or(0, |at| at + 1);
        let (id, rest) = key[at..].split_at(36);
        assert!(Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 4), "{key}");
        (&key[..at], id, rest)
    }

    #[test]
    fn hostile_names_give_harmless_keys() {
        let emoji = "📷.😀";
        let long = "a".repeat(300);
        let long_extension = format!("a.{}", "b".repeat(300));
        for (text, expected) in [
            ("../../x", ""),
            ("a/b", ""),
            ("%2e%2e", ""),
            ("%2e%2e%2fx.png%00", ""),
            ("a\0.png", ".png"),
            ("a.p\0ng", ""),
            (emoji, ""),
            (&long, ""),
            (&long_extension, ""),
            (".gitignore", ""),
            ("dir/.gitignore", ""),
            ("x.PNG", ".png"),
            ("x.abcdefghij", ".abcdefghij"),
            ("x.abcdefghijk", ""),
            ("x.tar.gz", ".gz"),
            ("x.", ""),
            (".", ""),
            ("..", ""),
            ("x.php/../y.jpg", ".jpg"),
            ("..\\..\\x.exe", ".exe"),
            ("x.jpg?acl", ""),
            ("x.jpg#top", ""),
            ("x.jp g", ""),
            ("x.ＰＮＧ", ""),
            ("x.\u{212a}ey", ""),
            ("uploads/y/z.mp4", ".mp4"),
        ] {
            let key = new_key(None, None, &name(text), RANDOM);
            let (before, _, rest) = parts_of(&key);
            assert_eq!((before, rest), ("uploads/", expected), "{text:?}");
        }
    }

    #[test]
    fn no_two_uploads_share_a_key() {
        let of = |random| new_key(None, None, &name("x.png"), random);
        assert_ne!(of(RANDOM), of([1; 16]));
    }

    #[test]
    fn the_keys_of_a_caller_share_a_prefix_that_does_not_reveal_the_caller() {
        let of = |caller| parts_of(&new_key(None, Some(caller), &name("x.png"), RANDOM)).0.to_owned();
        assert_eq!(of("alice"), of("alice"));
        assert_ne!(of("alice"), of("../bob"));
        let prefix = of("../bob");
        assert_eq!(prefix.len(), "uploads/".len() + 32 + 1);
        assert!(!prefix.contains("bob") && !prefix.contains(".."));
    }

    #[test]
    fn a_folder_comes_before_the_caller() {
        let folder = Folder::parse("tenant-7/avatars");
        let of = |caller| new_key(folder.as_ref(), caller, &name("x.png"), RANDOM);
        assert_eq!(parts_of(&of(None)).0, "uploads/tenant-7/avatars/");
        let hash = hash_of_caller("alice");
        assert_eq!(parts_of(&of(Some("alice"))).0, format!("uploads/tenant-7/avatars/{hash}/"));
    }

    #[test]
    fn a_name_in_metadata_is_ascii_and_short_enough() {
        assert_eq!(name_for_metadata(&name("Käse & Brot.png")), "K%C3%A4se%20%26%20Brot.png");
        assert_eq!(name_for_metadata(&name("a\r\nX-Evil: 1")), "a%0D%0AX-Evil%3A%201");
        // Each percent-encoded camera has 12 bytes.
        for (cameras, kept) in [(149, 149), (150, 150), (151, 150), (256, 150)] {
            assert_eq!(name_for_metadata(&name(&"📷".repeat(cameras))), "%F0%9F%93%B7".repeat(kept));
        }
        assert_eq!(name_for_metadata(&name(&format!("{}é", "📷".repeat(149)))).len(), 149 * 12 + 6);
        let long = name_for_metadata(&name(&format!("{}.Pdf", "📷".repeat(255))));
        assert_eq!(long, format!("{}.Pdf", "%F0%9F%93%B7".repeat(149)), "the extension is kept");
    }
}
