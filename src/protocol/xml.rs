//! Reads S3's error documents, which are XML.

/// Returns the text of an element of S3's error document, such as `Code`, at most 64 characters. Searches the document
/// for the tag, because web workers have no XML parser. The search is enough: the document is flat, and its texts
/// contain no markup (S3 API Reference, "Error responses").
pub fn xml_element(xml: &str, name: &str) -> Option<String> {
    let text = xml.split('<').find_map(|tag| tag.strip_prefix(name)?.strip_prefix('>'))?;
    Some(excerpt(text))
}

/// Returns at most the first 64 characters of a text from a server.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
