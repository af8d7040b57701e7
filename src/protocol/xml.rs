//! Reads S3's error documents, which are XML.

/// Returns the text of an element of S3's error document, such as `Code`: at most its first 64 characters (S3 API Reference,
/// "Error responses"). The document is flat and its texts contain no markup. Workers have no XML parser.
pub fn xml_element(xml: &str, name: &str) -> Option<String> {
    let text = xml.split('<').find_map(|tag| tag.strip_prefix(name)?.strip_prefix('>'))?;
    Some(excerpt(text))
}

/// Returns the first 64 characters of a text from another party.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
