//! The header `Content-Disposition` (RFC 6266). It decides whether a browser shows or saves a downloaded object, and
//! under which name.

use std::borrow::Cow;

use directput::protocol::ContentType;
use mime::Mime;
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use crate::object_key::fit;
use crate::s3::UNRESERVED;

/// How browsers treat downloaded objects. `Content-Disposition` is a signed header of the upload, so a client can't
/// change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadNames {
    /// Browsers save the object under a name that they derive from the key.
    None,
    /// Browsers save the object under the file's name.
    Attachment,
    /// Browsers show objects of types that run no scripts (see `is_shown`) and save all others. The name is the file's.
    Inline,
}

/// Maximum length of a name, in bytes of UTF-8: the limit of Linux file systems (`NAME_MAX`). Percent-encoding at most
/// triples the length. The result fits into the 2 KB of headers that S3 stores for an object (S3 User Guide, "Working
/// with object metadata").
const MAX_NAME_BYTES: usize = 255;

impl DownloadNames {
    /// Parses `none`, `attachment` or `inline`. Returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "attachment" => Some(Self::Attachment),
            "inline" => Some(Self::Inline),
            _ => None,
        }
    }

    /// Returns the header's value for a file of this type. `name` is percent-encoded, as in the object's metadata.
    pub fn disposition(self, content_type: &ContentType, name: &str) -> Cow<'static, str> {
        let kind = match self {
            Self::None => return Cow::Borrowed("attachment"),
            Self::Inline if is_shown(content_type) => "inline",
            Self::Attachment | Self::Inline => "attachment",
        };
        let name = base_of(&percent_decode_str(name).decode_utf8_lossy());
        if name.is_empty() {
            return Cow::Borrowed(kind);
        }
        // RFC 8187, section 3.2.1, permits more characters without encoding. The unreserved ones are safe in every
        // header.
        let encoded = utf8_percent_encode(&name, UNRESERVED);
        Cow::Owned(format!("{kind}; filename=\"{}\"; filename*=UTF-8''{encoded}", ascii_of(&name)))
    }
}

/// Returns whether a file of this type is safe to show, because browsers run no scripts in such files. The bytes may be
/// of another type, but browsers trust the header `Content-Type`.
fn is_shown(content_type: &ContentType) -> bool {
    content_type.as_str().parse().is_ok_and(|parsed: Mime| match parsed.type_().as_str() {
        "audio" | "video" => true,
        _ => matches!(
            parsed.essence_str(),
            "application/pdf" | "image/avif" | "image/gif" | "image/jpeg" | "image/png" | "image/webp" | "text/plain"
        ),
    })
}

/// Returns the name without folders, control characters and characters that change the direction of text. A changed
/// direction can make one extension look like another. Dots and spaces at the end are removed, because some file
/// systems ignore them.
fn base_of(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String =
        base.chars().filter(|character| !character.is_control() && !is_direction(*character)).collect();
    fit(visible.trim().trim_end_matches(['.', ' ']), MAX_NAME_BYTES, |character| character.len_utf8())
}

/// Returns whether a character sets the direction of text (Unicode Standard Annex 9, section 2), ends a line, or is a
/// byte order mark.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns the ASCII name for clients that do not support `filename*`. Replaces quotes, backslashes and percent signs,
/// because clients interpret these differently (RFC 6266, appendix D). Replaces several spaces by one, as the canonical
/// form of signed headers does.
fn ascii_of(name: &str) -> String {
    let is_plain = |character: char| (' '..='~').contains(&character) && !['"', '\\', '%'].contains(&character);
    let plain: String = name.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use directput::protocol::FileName;

    use super::*;
    use crate::object_key::name_for_metadata;

    fn of(names: DownloadNames, content_type: &str, name: &str) -> String {
        let name = name_for_metadata(&FileName::parse(name).expect("a name"));
        names.disposition(&ContentType::parse(content_type).expect("a type"), &name).into_owned()
    }

    fn attached(name: &str) -> String {
        of(DownloadNames::Attachment, "a/b", name)
    }

    #[test]
    fn a_file_is_saved_under_its_name() {
        for (name, expected) in [
            ("photo.png", "attachment; filename=\"photo.png\"; filename*=UTF-8''photo.png"),
            ("Übung \"1\".pdf", "attachment; filename=\"_bung _1_.pdf\"; filename*=UTF-8''%C3%9Cbung%20%221%22.pdf"),
            ("📷.jpg", "attachment; filename=\"_.jpg\"; filename*=UTF-8''%F0%9F%93%B7.jpg"),
            ("100%25.txt", "attachment; filename=\"100_25.txt\"; filename*=UTF-8''100%2525.txt"),
            (
                "it's (a) 'b'.txt",
                "attachment; filename=\"it's (a) 'b'.txt\"; filename*=UTF-8''it%27s%20%28a%29%20%27b%27.txt",
            ),
            ("a  b", "attachment; filename=\"a b\"; filename*=UTF-8''a%20%20b"),
            ("a;b,c=d", "attachment; filename=\"a;b,c=d\"; filename*=UTF-8''a%3Bb%2Cc%3Dd"),
        ] {
            assert_eq!(attached(name), expected, "{name}");
        }
    }

    #[test]
    fn folders_and_invisible_characters_are_removed() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("..\\..\\x.exe", "x.exe"),
            ("C:\\Users\\me\\a.txt", "a.txt"),
            ("a\r\nSet-Cookie: b=c", "aSet-Cookie: b=c"),
            ("a\0b\u{7f}\u{85}c", "abc"),
            // Programs show this name as "picexe.png".
            ("pic\u{202e}gnp.exe", "picgnp.exe"),
            ("\u{2066}a\u{2069}\u{feff}\u{61c}b\u{2028}c", "abc"),
            ("  a.txt. . ", "a.txt"),
            (".bashrc", ".bashrc"),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
        ] {
            let encoded = utf8_percent_encode(expected, UNRESERVED).to_string();
            assert!(attached(name).ends_with(&format!("; filename*=UTF-8''{encoded}")), "{name:?}: {}", attached(name));
        }
        for nothing in ["..", ".", "a/", "/", "\u{202e}", " ", "\r\n", "../.."] {
            assert_eq!(attached(nothing), "attachment", "{nothing:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = |text: &str| {
            let disposition = attached(text);
            let (_, encoded) = disposition.split_once("filename*=UTF-8''").expect("a name");
            percent_decode_str(encoded).decode_utf8().expect("whole characters").into_owned()
        };
        assert_eq!(name(&format!("{}.pdf", "a".repeat(300))), format!("{}.pdf", "a".repeat(251)));
        assert_eq!(name(&format!("{}.pdf", "é".repeat(300))), format!("{}.pdf", "é".repeat(125)));
        assert_eq!(name(&format!("{}.PDF", "📷".repeat(255))), format!("{}.PDF", "📷".repeat(62)));
        assert_eq!(name(&"📷".repeat(256)), "📷".repeat(63));
        assert_eq!(name(&format!("a.{}", "b".repeat(300))), format!("a.{}", "b".repeat(253)));
    }

    #[test]
    fn a_header_is_short_ascii_without_double_spaces() {
        for name in ["é".repeat(512), "\"".repeat(1_024), " a".repeat(512), "%".repeat(1_024), "x".repeat(1_024)] {
            for names in [DownloadNames::None, DownloadNames::Attachment, DownloadNames::Inline] {
                let disposition = of(names, "image/png", &name);
                assert!(disposition.len() < 1_100, "{}", disposition.len());
                assert!(disposition.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{disposition}");
                assert!(!disposition.contains("  "), "{disposition}");
            }
        }
    }

    #[test]
    fn only_types_that_run_no_scripts_are_shown() {
        for (content_type, expected) in [
            ("image/png", "inline"),
            ("IMAGE/JPEG", "inline"),
            ("video/mp4", "inline"),
            ("audio/x-odd", "inline"),
            ("application/pdf", "inline"),
            ("text/plain; charset=utf-8", "inline"),
            ("image/svg+xml", "attachment"),
            ("image/svg", "attachment"),
            ("text/html", "attachment"),
            ("text/xml", "attachment"),
            ("application/xhtml+xml", "attachment"),
            ("text/plain,text/html", "attachment"),
            ("application/octet-stream", "attachment"),
        ] {
            let disposition = of(DownloadNames::Inline, content_type, "a");
            assert_eq!(disposition.split(';').next(), Some(expected), "{content_type}");
            assert!(disposition.contains("filename=\"a\""), "{disposition}");
            assert_eq!(of(DownloadNames::None, content_type, "a"), "attachment");
        }
    }

    #[test]
    fn the_setting_is_none_attachment_or_inline() {
        for (text, names) in [
            ("none", Some(DownloadNames::None)),
            ("attachment", Some(DownloadNames::Attachment)),
            ("inline", Some(DownloadNames::Inline)),
            ("Inline", None),
            ("", None),
            ("true", None),
        ] {
            assert_eq!(DownloadNames::parse(text), names, "{text}");
        }
    }
}
