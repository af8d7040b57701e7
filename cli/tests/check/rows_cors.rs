//! Wrong CORS rules of the API and of the bucket.

use crate::proxy::{Fault, HONEST, Reply, Seen};
use crate::table::{ROW, Row};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

fn is_put(seen: &Seen) -> bool {
    seen.header("access-control-request-method") == "PUT"
}

pub const OF_API: &[Row] = &[
    Row {
        name: "the sign-in refuses preflights",
        api: Fault { before: |seen, _| seen.is_preflight().then(|| Reply::new(401, "")), ..HONEST },
        failed: &["api-preflight"],
        ..ROW
    },
    Row {
        name: "another origin is allowed",
        api: Fault { after: |_, reply, _| reply.set(ALLOW_ORIGIN, "https://app.example/"), ..HONEST },
        failed: &["api-cors-answers", "api-cors-errors", "api-preflight-origin"],
        says: "https://app.example",
        ..ROW
    },
    Row {
        name: "gateway and server both add the header",
        api: Fault {
            after: |_, reply, _| {
                reply.headers.append(ALLOW_ORIGIN, "https://app.example".parse().unwrap());
            },
            ..HONEST
        },
        failed: &["api-cors-answers", "api-cors-errors", "api-preflight-origin"],
        ..ROW
    },
    Row {
        name: "preflights do not allow the origin",
        api: Fault {
            after: |seen, reply, _| {
                if seen.is_preflight() {
                    reply.headers.remove(ALLOW_ORIGIN);
                }
            },
            ..HONEST
        },
        failed: &["api-preflight-origin"],
        ..ROW
    },
    Row {
        name: "DELETE is not allowed",
        api: Fault { after: |_, reply, _| reply.remove_from_list("access-control-allow-methods", "DELETE"), ..HONEST },
        failed: &["api-preflight-method"],
        says: "DELETE /uploads",
        ..ROW
    },
    Row {
        name: "the token's header is not allowed",
        api: Fault {
            after: |_, reply, _| reply.remove_from_list("access-control-allow-headers", "upload-token"),
            ..HONEST
        },
        failed: &["api-preflight-headers"],
        says: "lacks upload-token for DELETE /uploads, POST /uploads/parts",
        ..ROW
    },
    Row {
        name: "the page's own header is not allowed",
        flags: &["--header", "x-tenant: 7"],
        failed: &["api-preflight-headers"],
        warns: &["credentials-required"],
        says: "x-tenant",
        ..ROW
    },
    Row {
        name: "the page sends cookies, and the API does not allow them",
        flags: &["--header", "cookie: session=7"],
        failed: &["api-cors-answers", "api-cors-errors", "api-preflight-origin"],
        warns: &["credentials-required"],
        says: "\"AllowCredentials\":true",
        ..ROW
    },
    Row {
        name: "one route has no preflight",
        api: Fault {
            before: |seen, _| (seen.is_preflight() && seen.path == "/uploads/complete").then(|| Reply::new(405, "")),
            ..HONEST
        },
        failed: &["api-preflight"],
        says: "POST /uploads/complete",
        ..ROW
    },
    Row {
        name: "preflights are not kept",
        api: Fault { after: |_, reply, _| drop(reply.headers.remove("access-control-max-age")), ..HONEST },
        warns: &["api-cors-max-age"],
        ..ROW
    },
    Row {
        name: "only preflights have CORS headers",
        api: Fault {
            after: |seen, reply, _| {
                if !seen.is_preflight() {
                    reply.headers.remove(ALLOW_ORIGIN);
                }
            },
            ..HONEST
        },
        failed: &["api-cors-answers", "api-cors-errors"],
        ..ROW
    },
    Row {
        name: "errors have no CORS headers",
        api: Fault {
            after: |_, reply, _| {
                if reply.status >= 400 {
                    reply.headers.remove(ALLOW_ORIGIN);
                }
            },
            ..HONEST
        },
        failed: &["api-cors-errors"],
        ..ROW
    },
    Row {
        name: "no header is exposed",
        api: Fault { after: |_, reply, _| drop(reply.headers.remove("access-control-expose-headers")), ..HONEST },
        warns: &["api-cors-exposed"],
        ..ROW
    },
    Row {
        name: "every origin is allowed",
        api: Fault { after: |_, reply, _| reply.set(ALLOW_ORIGIN, "*"), ..HONEST },
        warns: &["api-cors-foreign"],
        ..ROW
    },
    Row {
        name: "every origin is allowed with cookies",
        api: Fault {
            after: |seen, reply, _| {
                reply.set(ALLOW_ORIGIN, seen.header("origin"));
                reply.set("access-control-allow-credentials", "true");
            },
            ..HONEST
        },
        failed: &["api-cors-foreign"],
        ..ROW
    },
];

pub const OF_BUCKET: &[Row] = &[
    Row {
        name: "the bucket has no CORS rule",
        bucket: Fault {
            before: |seen, _| {
                seen.is_preflight().then(|| Reply::new(403, "<Error><Code>AccessForbidden</Code></Error>"))
            },
            after: |_, reply, _| drop(reply.headers.remove(ALLOW_ORIGIN)),
        },
        failed: &["bucket-cors-answers", "bucket-cors-errors", "bucket-preflight"],
        says: "\"AllowedOrigins\":[\"https://app.example\"]",
        ..ROW
    },
    Row {
        name: "the rule has another origin",
        bucket: Fault {
            after: |seen, reply, _| {
                if seen.is_preflight() {
                    reply.set(ALLOW_ORIGIN, "http://app.example");
                }
            },
            ..HONEST
        },
        failed: &["bucket-preflight-origin"],
        ..ROW
    },
    Row {
        name: "the rule lacks PUT",
        bucket: Fault { after: |_, reply, _| reply.set("access-control-allow-methods", "GET"), ..HONEST },
        failed: &["bucket-preflight-method"],
        ..ROW
    },
    Row {
        name: "the rule lacks PUT, and the store refuses the preflight",
        bucket: Fault {
            before: |seen, _| (seen.is_preflight() && is_put(seen)).then(|| Reply::new(403, "")),
            ..HONEST
        },
        failed: &["bucket-preflight-method"],
        ..ROW
    },
    Row {
        name: "the rule lacks a header",
        bucket: Fault {
            after: |_, reply, _| reply.remove_from_list("access-control-allow-headers", "x-amz-checksum-sha256"),
            ..HONEST
        },
        failed: &["bucket-preflight-headers"],
        says: "lack x-amz-checksum-sha256",
        ..ROW
    },
    Row {
        name: "the rule lacks a header, and the store refuses the preflight",
        bucket: Fault {
            before: |seen, _| {
                let asked = seen.header("access-control-request-headers");
                (seen.is_preflight() && asked.contains("x-amz-meta-name")).then(|| Reply::new(403, ""))
            },
            ..HONEST
        },
        failed: &["bucket-preflight-headers"],
        says: "lack x-amz-meta-name ",
        ..ROW
    },
    Row {
        name: "the rule has no max age",
        bucket: Fault { after: |_, reply, _| drop(reply.headers.remove("access-control-max-age")), ..HONEST },
        warns: &["bucket-cors-max-age"],
        ..ROW
    },
    Row {
        name: "the bucket's errors have no CORS headers",
        bucket: Fault {
            after: |_, reply, _| {
                if reply.status >= 400 {
                    reply.headers.remove(ALLOW_ORIGIN);
                }
            },
            ..HONEST
        },
        failed: &["bucket-cors-errors"],
        ..ROW
    },
    Row {
        name: "the answer to a PUT has no CORS headers",
        bucket: Fault {
            after: |seen, reply, _| {
                if seen.is_signed_put() && reply.status == 200 {
                    reply.headers.remove(ALLOW_ORIGIN);
                }
            },
            ..HONEST
        },
        failed: &["bucket-cors-answers"],
        ..ROW
    },
    Row {
        name: "the ETag is not exposed",
        bucket: Fault {
            after: |_, reply, _| reply.remove_from_list("access-control-expose-headers", "etag"),
            ..HONEST
        },
        failed: &["bucket-cors-etag"],
        says: "etag-hidden",
        ..ROW
    },
    Row {
        name: "the checksum is not exposed",
        bucket: Fault {
            after: |_, reply, _| reply.remove_from_list("access-control-expose-headers", "x-amz-checksum-sha256"),
            ..HONEST
        },
        warns: &["bucket-cors-checksum"],
        ..ROW
    },
    Row {
        name: "the request id is not exposed",
        bucket: Fault {
            after: |_, reply, _| reply.remove_from_list("access-control-expose-headers", "x-amz-request-id"),
            ..HONEST
        },
        warns: &["bucket-cors-exposed"],
        says: "lack x-amz-request-id,",
        ..ROW
    },
    Row {
        name: "pages of every origin may send to the bucket",
        bucket: Fault {
            after: |_, reply, _| {
                reply.set(ALLOW_ORIGIN, "*");
                reply.set("access-control-allow-methods", "*");
            },
            ..HONEST
        },
        warns: &["bucket-cors-foreign"],
        ..ROW
    },
];
