// One request: reads it, lets the module decide, sends the module's call to S3, and makes the response.
import { localError } from '../errors.js';
import type { ErrorCode } from '../types.js';
import type { Exchange, ServerModule, UploadServer } from './module.js';
import type { Credentials, Grant } from './types.js';

/** Timeout of a call to S3, in milliseconds. The client gets `storage-unavailable` after it, and tries again. */
const CALL_MS = 25_000;

/** Maximum number of bytes to read of a body, also of one that is refused for its length. */
const MAX_READ_BYTES = 16 << 20;

/** What the module expects of a rule that it refuses. */
const RULES: { readonly [name: string]: string } = {
  folder: 'folder; expected at most 128 characters of a-z A-Z 0-9 - _, with / between names',
  allowedTypes: 'allowedTypes; expected media types such as image/* and application/pdf',
};

/** What the module needs of a request. */
export interface Head {
  id: string;
  method: string;
  /** Path after the address of the API, such as `/uploads/parts`. */
  path: string;
}

/** The module's answer. */
export interface Answer {
  status: number;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
  /** Code of the error, or undefined. */
  code: string | undefined;
}

/** Answers a request. `maxBytes` is the maximum length of its body, in bytes. */
export async function answer(
  server: UploadServer,
  { id, method, path }: Head,
  request: Request,
  { caller, allowedTypes, ...rules }: Grant,
  credentials: Credentials,
  maxBytes: number,
): Promise<Answer> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const head = {
    id,
    method,
    path,
    query: new URL(request.url).search.slice(1),
    contentType: request.headers.get('content-type'),
    token: request.headers.get('upload-token'),
    caller: caller ?? null,
    rules: { ...rules, allowedTypes: allowedTypes?.join(',') },
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  };
  const exchange = begin(server, JSON.stringify(head), await bodyOf(request, maxBytes));
  try {
    if (exchange.call !== undefined) await call(exchange, exchange.call);
    return read(exchange);
  } finally {
    exchange.free();
  }
}

function begin(server: UploadServer, head: string, body: Uint8Array | undefined): Exchange {
  try {
    return server.begin(head, body, Date.now());
  } catch (error) {
    // The module throws a text: the name of a rule, or what JSON was expected. The head's other fields are not the
    // application's.
    if (typeof error !== 'string') throw error;
    throw localError('invalid-option', `authorize returned a wrong rule: ${RULES[error] ?? error}`);
  }
}

/** Refuses a request by a code. */
export function refusal({ UploadServer }: ServerModule, id: string, code: ErrorCode): Answer {
  const exchange = UploadServer.refuse(id, code);
  try {
    return read(exchange);
  } finally {
    exchange.free();
  }
}

function read(exchange: Exchange): Answer {
  const { status, code } = exchange;
  return { status, headers: JSON.parse(exchange.headers), body: exchange.body, code };
}

/**
 * Returns the body, or undefined if it has more bytes than the maximum. Then it reads on, without keeping the bytes:
 * servers reset the connection of a request that was not read to its end, and the client would not get the answer.
 */
async function bodyOf(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!request.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes <= maxBytes) chunks.push(value);
    else if (bytes > MAX_READ_BYTES) {
      await reader.cancel().catch(() => {});
      break;
    }
  }
  if (bytes > maxBytes) return undefined;
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

/** Sends a call to S3, and passes S3's answer to the module. */
async function call(exchange: Exchange, description: string): Promise<void> {
  const { method, url, headers } = JSON.parse(description);
  try {
    const reply = await fetch(url, {
      method,
      headers,
      // The signature is for one host, so a redirect can't be followed.
      redirect: 'manual',
      signal: AbortSignal.timeout(CALL_MS),
      ...(method === 'POST' && { body: exchange.body }),
    });
    const bytes = new Uint8Array(await reply.arrayBuffer());
    exchange.answered(reply.status, reply.headers.get('x-amz-request-id') ?? undefined, bytes, Date.now());
  } catch {
    exchange.answered(0, undefined, new Uint8Array(), Date.now());
  }
}
