// Error answers in the format of RFC 9457: https://www.rfc-editor.org/rfc/rfc9457. `docs/errors.md` of directput lists
// the codes.

/** HTTP statuses of the codes. All other codes have the status 400. */
const STATUS = {
  unauthorized: 401,
  'token-missing': 401,
  'token-invalid': 401,
  'token-expired': 401,
  'not-your-upload': 403,
  'not-found': 404,
  'upload-gone': 404,
  'method-not-allowed': 405,
  'not-multipart': 409,
  'parts-refused': 409,
  'already-complete': 409,
  'body-too-large': 413,
  'file-too-large': 413,
  'type-not-allowed': 415,
  'unsupported-media-type': 415,
  internal: 500,
  'storage-unavailable': 503,
};

/** The reason why a call is refused. `field` is the wrong field, such as `parts[0].length`. */
export class Refusal extends Error {
  constructor(code, field, detail) {
    super(code);
    Object.assign(this, { code, field, detail, status: STATUS[code] ?? 400 });
  }

  /** Returns the body of the answer. */
  toProblem(requestId) {
    const { code, status, field, detail } = this;
    return {
      type: `urn:directput:error:${code}`,
      title: code.replaceAll('-', ' '),
      status,
      code,
      field,
      detail,
      requestId,
    };
  }
}
