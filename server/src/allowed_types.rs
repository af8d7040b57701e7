//! The media types (RFC 9110, section 8.3.1) of files that the deployment accepts.

use directput::protocol::ContentType;
use mime::{Mime, STAR};

/// Accepted media types: exact types, families such as `image/*`, or `*/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedTypes(Vec<Mime>);

impl AllowedTypes {
    /// Returns a list that accepts every media type.
    pub fn any() -> Self {
        Self(vec![mime::STAR_STAR])
    }

    /// Parses a list such as `image/*,application/pdf`. Returns `None` if an item has parameters, or is neither a media
    /// type nor a family.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',').map(parse_range).collect::<Option<_>>().map(Self)
    }

    /// Returns whether a file of that type is accepted. Ignores parameters such as `;charset=utf-8`. Returns `None` if
    /// `content_type` is malformed, because browsers and servers may read a malformed type as a type that is not
    /// accepted.
    pub fn contains(&self, content_type: &ContentType) -> Option<bool> {
        let content_type =
            parse(content_type.as_str()).filter(|parsed| parsed.type_() != STAR && !is_family(parsed))?;
        Some(self.0.iter().any(|range| {
            let is_in_family = is_family(range) && (range.type_() == STAR || range.type_() == content_type.type_());
            is_in_family || range.essence_str() == content_type.essence_str()
        }))
    }
}

fn parse_range(text: &str) -> Option<Mime> {
    let range = parse(text.trim())?;
    let is_sound = range.params().next().is_none() && (range.type_() != STAR || is_family(&range));
    is_sound.then_some(range)
}

/// Parses a media type or a family. Refuses a type without a subtype (`image/`), which the crate `mime` accepts.
fn parse(text: &str) -> Option<Mime> {
    text.parse().ok().filter(|parsed: &Mime| !parsed.essence_str().ends_with('/'))
}

/// Returns whether the range covers all subtypes of a type, as `image/*` does.
fn is_family(range: &Mime) -> bool {
    range.essence_str().ends_with("/*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &str, text: &str) -> Option<bool> {
        AllowedTypes::parse(list).expect("sound").contains(&ContentType::parse(text).expect("a type"))
    }

    #[test]
    fn types_match_exactly_or_by_family() {
        let list = "image/*, application/pdf";
        for text in
            ["image/png", "IMAGE/PNG", "image/svg+xml", "application/pdf; version=2", "image/png;charset=\"a,b\""]
        {
            assert_eq!(allowed(list, text), Some(true), "{text}");
        }
        for text in
            ["application/pdfx", "text/html", "imagex/png", "application/png", "video/pdf", "application/pdf+xml"]
        {
            assert_eq!(allowed(list, text), Some(false), "{text}");
        }
        assert_eq!(allowed("image/svg", "image/svg+xml"), Some(false));
        assert_eq!(allowed("image/svg+xml", "image/svg"), Some(false));
        assert_eq!(AllowedTypes::any().contains(&ContentType::unknown()), Some(true));
        let odd = AllowedTypes::parse("*/*,Model/vnd.x-y+xml").expect("sound");
        assert_eq!(odd, AllowedTypes::parse("*/*,model/vnd.x-y+xml").expect("sound"));
    }

    #[test]
    fn a_text_that_is_not_a_media_type_is_in_no_list() {
        for text in [
            "image/png,text/html",
            "image/png, text/html",
            "image/png text/html",
            "image/png;,text/html",
            "image/png;a=b,text/html",
            "image/png;a=\"\\\",text/html;b=\"",
            "image/png;a",
            "image/png;a=\"",
            "image/png/html",
            "image/(png)",
            "image/*",
            "*/*",
            "*/png",
        ] {
            for list in ["image/*", "*/*"] {
                assert_eq!(allowed(list, text), None, "{text} in {list}");
            }
        }
    }

    #[test]
    fn a_list_with_a_malformed_item_or_with_parameters_is_refused() {
        for list in ["image", "/png", "image/", "*/png", "image/png;a=b", "im age/png", "image/p ng", "image/png,", "*"]
        {
            assert_eq!(AllowedTypes::parse(list), None, "{list}");
        }
    }
}
