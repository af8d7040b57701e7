//! Reads S3's error documents, which are XML.

/// Returns the first 64 characters of the text of an element, such as `Code`, of S3's error document. A search of the text
/// is enough: the document is flat, and its texts contain no markup (S3 API Reference, "Error responses"). Web workers
/// have no XML parser.
pub fn xml_element(xml: &str, name: &str) -> Option<String> {
    let text = xml.split('<').find_map(|tag| tag.strip_prefix(name)?.strip_prefix('>'))?;
    Some(excerpt(text))
}

/// Returns the first 64 characters of a text from another party.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
