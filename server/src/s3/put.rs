//! Presigned PUTs of objects and parts, with the headers that a client must send.

use std::time::Duration;

use directput::checksum::PartChecksum;
use directput::plan::Part;
use directput::protocol::{ContentType, Headers, SignedPart};

use super::sign::{Put, Signing};

/// Value of the signed header `Content-Encoding`. S3 stores this header with the object and returns it to readers, even
/// if the header is not signed. Without a signed value, a client could send `gzip`, and readers would decode the object
/// to bytes that no checksum has verified.
const CONTENT_ENCODING: &str = "identity";

/// Header that sets the user metadata `name`, which holds the file's name.
pub(super) const NAME_HEADER: &str = "x-amz-meta-name";

/// Key and headers of an object.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Key.
    pub key: &'a str,
    /// Media type.
    pub content_type: &'a ContentType,
    /// Percent-encoded name of the user's file.
    pub name: Option<&'a str>,
    /// Value of `Content-Disposition`. The value `attachment` prevents browsers from running an uploaded HTML file
    /// under the bucket's host name.
    pub disposition: &'a str,
}

/// Target of a presigned PUT.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A whole object. S3 refuses the PUT if an object with this key exists.
    Object(Object<'a>),
    /// A part of a multipart upload.
    Part {
        /// Key of the object.
        key: &'a str,
        /// S3's upload id.
        upload_id: &'a str,
    },
}

impl Signing<'_> {
    /// Signs the PUT of a part, or of an object that consists of one part. S3 accepts only bytes that have the part's
    /// length and, if `checksum` is given, this checksum. The URL expires after `lifetime`.
    pub fn put(
        &self,
        target: Target<'_>,
        part: Part,
        checksum: Option<&PartChecksum>,
        lifetime: Duration,
    ) -> SignedPart {
        let length = part.length.to_string();
        let number = part.number.get().to_string();
        let checksum = checksum.map(|checksum| {
            let name = match checksum {
                PartChecksum::Sha256(_) => "x-amz-checksum-sha256",
                PartChecksum::Crc64Nvme(_) => "x-amz-checksum-crc64nvme",
            };
            (name, checksum.to_string())
        });
        let checksum = checksum.as_ref().map(|(name, value)| (*name, value.as_str()));
        let length = ("content-length", length.as_str());
        let (operation, key, query, headers) = match target {
            Target::Part { key, upload_id } => {
                let query = vec![("partNumber", number.as_str()), ("uploadId", upload_id)];
                ("UploadPart", key, query, [Some(length), checksum].into_iter().flatten().collect::<Vec<_>>())
            }
            Target::Object(Object { key, content_type, name, disposition }) => {
                let headers = [
                    Some(("content-disposition", disposition)),
                    Some(("content-encoding", CONTENT_ENCODING)),
                    Some(length),
                    Some(("content-type", content_type.as_str())),
                    Some(("if-none-match", "*")),
                    checksum,
                    name.map(|name| (NAME_HEADER, name)),
                ];
                ("PutObject", key, Vec::new(), headers.into_iter().flatten().collect())
            }
        };
        let url = self.url(&Put { operation, key, query: &query, headers: &headers, lifetime });
        // The client is not given Content-Length, because browsers set this header and forbid scripts to set it.
        let sent = headers.iter().filter(|(name, _)| *name != length.0);
        let headers: Headers = sent.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SignedPart { number: part.number, url, headers, expires_in_seconds: lifetime.as_secs() }
    }
}
