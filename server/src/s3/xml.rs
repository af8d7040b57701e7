//! The XML of S3's requests and answers (S3 API Reference, "CreateMultipartUpload", "ListParts",
//! "CompleteMultipartUpload", "Error responses").

use directput::checksum::PartChecksum;
use directput::protocol;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// S3's answer to the call that opens a multipart upload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    pub(super) upload_id: Option<String>,
}

/// One page of the stored parts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) is_truncated: bool,
    #[serde(default, rename = "Part")]
    pub(super) parts: Vec<ListedPart>,
}

/// A stored part. S3 may add fields, and servers omit some.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedPart {
    pub(super) part_number: Option<u32>,
    pub(super) size: Option<u64>,
    #[serde(rename = "ETag")]
    pub(super) etag: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    pub(super) sha256: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    pub(super) crc64nvme: Option<String>,
}

/// S3's answer to a completion.
#[derive(Debug, Deserialize)]
pub(super) struct Completed {
    #[serde(rename = "ETag")]
    pub(super) etag: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    pub(super) sha256: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    pub(super) crc64nvme: Option<String>,
}

/// S3's error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) request_id: Option<String>,
}

/// Body of a completion.
#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Completion<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    #[serde(rename = "Part")]
    parts: Vec<CompletedPart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompletedPart<'a> {
    #[serde(rename = "ETag")]
    etag: &'a str,
    #[serde(rename = "ChecksumSHA256", skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME", skip_serializing_if = "Option::is_none")]
    crc64nvme: Option<String>,
    part_number: u32,
}

/// Returns the body of a completion. Returns `None` if an entity tag has characters that XML can't contain.
pub(super) fn completion(parts: &[protocol::CompletedPart]) -> Option<String> {
    let parts = parts.iter().map(|part| {
        let (sha256, crc64nvme) = match part.checksum {
            Some(PartChecksum::Sha256(digest)) => (Some(digest.to_string()), None),
            Some(PartChecksum::Crc64Nvme(checksum)) => (None, Some(checksum.to_string())),
            None => (None, None),
        };
        CompletedPart { etag: part.etag.as_str(), sha256, crc64nvme, part_number: part.number.get() }
    });
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    quick_xml::se::to_string(&Completion { namespace, parts: parts.collect() }).ok()
}

/// Reads an answer. Returns `None` if the body is no such XML.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    quick_xml::de::from_str(std::str::from_utf8(body).ok()?.trim()).ok()
}

/// Returns whether the root element of an answer is `Error`. S3 answers a completion with 200 before the parts are
/// joined, so a later error is in the body.
pub(super) fn is_error(body: &[u8]) -> bool {
    let mut reader = Reader::from_reader(body);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => return root.local_name().as_ref() == "Error",
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_begin_with_spaces_and_have_a_namespace() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n  \n<InitiateMultipartUploadResult \
                   xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><UploadId>a&amp;b</UploadId>\
                   </InitiateMultipartUploadResult>";
        assert_eq!(read::<Created>(xml.as_bytes()).and_then(|created| created.upload_id).as_deref(), Some("a&b"));
        let late = "  <?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>";
        assert!(is_error(late.as_bytes()) && !is_error(xml.as_bytes()) && !is_error(b"   ") && !is_error(b"<"));
        assert_eq!(read::<Refused>(late.as_bytes()).map(|refused| refused.code).as_deref(), Some("InternalError"));
    }

    #[test]
    fn parts_are_read_between_other_elements() {
        let xml = "<ListPartsResult><Owner><ID>o</ID></Owner>\
                   <Part><PartNumber>1</PartNumber><ETag>&quot;e&quot;</ETag><Size>5</Size></Part><MaxParts>2</MaxParts>\
                   <Part><PartNumber>2</PartNumber><ChecksumSHA256>s</ChecksumSHA256></Part>\
                   <IsTruncated>true</IsTruncated></ListPartsResult>";
        let listed: Listed = read(xml.as_bytes()).expect("a list");
        assert!(listed.is_truncated);
        assert_eq!(listed.parts.iter().map(|part| part.part_number).collect::<Vec<_>>(), [Some(1), Some(2)]);
        assert_eq!((listed.parts[0].etag.as_deref(), listed.parts[0].size), (Some("\"e\""), Some(5)));
        assert_eq!(listed.parts[1].sha256.as_deref(), Some("s"));
        assert!(read::<Listed>(b"<ListPartsResult/>").is_some_and(|empty| empty.parts.is_empty()));
        assert!(read::<Listed>(b"not XML").is_none());
    }
}
