// `createUploads`: the signing API as a function from `Request` to `Response`.
import { type Answer, answer, type Head, refusal } from './exchange.js';
import type { ServerModule, UploadServer } from './module.js';
import { settingError, settingsOf, wrong } from './settings.js';
import type { CompletedUpload, Credentials, Grant, Uploads, UploadsOptions } from './types.js';

/** Time for which browsers keep the answer to a preflight, in seconds. */
const PREFLIGHT_SECONDS = '3000';

/** Returns `createUploads` for a module, which is loaded when it is first needed. */
export function uploadsBy(load: () => ServerModule): (options: UploadsOptions | (() => UploadsOptions)) => Uploads {
  return (options) => {
    const start = (): Api => new Api(load(), typeof options === 'function' ? options() : options);
    let api = typeof options === 'function' ? undefined : start();
    return async (request) => {
      api ??= start();
      return api.respond(request);
    };
  };
}

class Api {
  readonly #module: ServerModule;
  readonly #server: UploadServer;
  readonly #options: UploadsOptions;
  #hasWarned = false;

  constructor(module: ServerModule, options: UploadsOptions) {
    const settings = settingsOf(options);
    const { authorize, credentials, path } = options;
    if (authorize !== 'anyone' && typeof authorize !== 'function') {
      throw wrong('authorize', "a function that returns the caller of a request, or 'anyone'");
    }
    if (typeof credentials !== 'function') checkCredentials(credentials);
    if (path !== undefined && !/^\/.*[^/]$/.test(path)) throw wrong('path', 'a path such as /api/uploads');
    this.#module = module;
    this.#options = options;
    try {
      this.#server = new module.UploadServer(settings, (bytes) => void crypto.getRandomValues(bytes));
    } catch (error) {
      throw typeof error === 'string' ? settingError(error) : error;
    }
  }

  async respond(request: Request): Promise<Response> {
    const cors = this.#cors(request);
    if (cors && request.method === 'OPTIONS') return preflight(cors);
    const started = performance.now();
    const { method } = request;
    const head = { id: crypto.randomUUID(), method, path: this.#path(request) };
    let error: unknown;
    const reply = await this.#answer(head, request).catch((thrown: unknown) => {
      error = thrown;
      return refusal(this.#module, head.id, 'internal');
    });
    const response = reply instanceof Response ? new Response(reply.body, reply) : responseOf(reply, method);
    for (const [name, value] of cors ?? []) response.headers.append(name, value);
    const code = reply instanceof Response ? undefined : reply.code;
    const milliseconds = Math.round(performance.now() - started);
    const { onAnswered } = this.#options;
    if (onAnswered) onAnswered({ requestId: head.id, method, status: response.status, code, milliseconds, error });
    // Only the application's own functions throw, so the error is the application's.
    else if (error !== undefined) console.error('directput/server: a function of the application failed.', error);
    return response;
  }

  /** Returns the path of the call, such as `/uploads/parts`. Any other path gives one that the module does not know. */
  #path(request: Request): string {
    const { pathname } = new URL(request.url);
    const { path } = this.#options;
    if (path === undefined) {
      const found = /\/uploads(?:\/[^/]*)?$/.exec(pathname);
      if (!found) this.#warnOfPath(pathname);
      return found?.[0] ?? pathname;
    }
    const rest = pathname.slice(path.length);
    return pathname.startsWith(path) && (rest === '' || rest.startsWith('/')) ? `/uploads${rest}` : '/';
  }

  /** Warns once that a request can't be found without the option `path`. */
  #warnOfPath(pathname: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(`directput/server: ${pathname} does not end with /uploads. If the API is there, set the option path.`);
  }

  async #answer(head: Head, request: Request): Promise<Answer | Response> {
    const grant = await this.#grant(request);
    if (grant instanceof Response) return grant;
    if (grant === null) return refusal(this.#module, head.id, 'unauthorized');
    const keys = await this.#credentials();
    const maxBytes = this.#module.UploadServer.maxBodyBytes(head.method, head.path);
    const reply = await answer(this.#server, head, request, grant, keys, maxBytes);
    const { onCompleted } = this.#options;
    if (onCompleted && head.path === '/uploads/complete' && reply.status === 200) {
      await onCompleted(completed(reply, grant));
    }
    return reply;
  }

  async #credentials(): Promise<Credentials> {
    const { credentials } = this.#options;
    if (typeof credentials !== 'function') return credentials;
    const keys = await credentials();
    checkCredentials(keys);
    return keys;
  }

  async #grant(request: Request): Promise<Grant | Response | null> {
    const { authorize } = this.#options;
    if (authorize === 'anyone') return {};
    // Every false value refuses, so that `isSignedIn && { … }` does not let anybody in.
    const grant: unknown = (await authorize(request)) || null;
    if (typeof grant !== 'object') throw wrong('the result of authorize', 'an object, null or a Response');
    const { caller } = (grant ?? {}) as Grant;
    if (caller !== undefined && !isText(caller)) throw wrong('caller in the result of authorize', 'a text');
    return grant as Grant | Response | null;
  }

  /** Returns the headers that allow the page of another origin to read the response, or undefined if it must not. */
  #cors(request: Request): [string, string][] | undefined {
    const origin = request.headers.get('origin');
    if (origin === null || !this.#options.allowOrigins?.includes(origin)) return undefined;
    return [
      ['access-control-allow-origin', origin],
      ['access-control-expose-headers', 'x-request-id,retry-after'],
      ['vary', 'origin'],
    ];
  }
}

function preflight(cors: [string, string][]): Response {
  return new Response(null, {
    status: 204,
    headers: [
      ...cors,
      ['access-control-allow-methods', 'GET,POST,DELETE'],
      ['access-control-allow-headers', 'content-type,authorization,upload-token'],
      ['access-control-max-age', PREFLIGHT_SECONDS],
    ],
  });
}

function responseOf({ status, headers, body }: Answer, method: string): Response {
  const hasBody = status !== 204 && method !== 'HEAD';
  return new Response(hasBody ? body : null, { status, headers });
}

function completed({ body }: Answer, { caller }: Grant): CompletedUpload {
  const { key, size, checksum, etag } = JSON.parse(new TextDecoder().decode(body));
  return { key, size, checksum: checksum ?? undefined, etag, caller };
}

function checkCredentials(credentials: Credentials | undefined): void {
  if (!credentials) throw wrong('credentials', 'an object with accessKeyId and secretAccessKey, or a function');
  const { accessKeyId, secretAccessKey } = credentials;
  if (!isText(accessKeyId)) throw wrong('credentials.accessKeyId', 'a text');
  if (!isText(secretAccessKey)) throw wrong('credentials.secretAccessKey', 'a text');
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
