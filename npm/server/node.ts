// Runs a function from `Request` to `Response` as a handler of Node's HTTP server, Express or Fastify.
import type { Uploads } from './types.js';

/** The members of Node's `IncomingMessage` that are used, and those that Express adds. */
interface Incoming extends AsyncIterable<Uint8Array> {
  method?: string | undefined;
  url?: string | undefined;
  /** The URL before Express removed the path of a mount. */
  originalUrl?: string;
  headers: { readonly [name: string]: string | readonly string[] | undefined };
  /** The body, if a parser has read it already. */
  body?: unknown;
}

/** The members of Node's `ServerResponse` that are used. */
interface Outgoing {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body?: Uint8Array): unknown;
}

/**
 * Returns a handler for `http.createServer`, for `app.all` and `app.use` of Express, and for the raw request and
 * response of Fastify. A JSON parser may come before it.
 */
export function toNodeHandler(uploads: Uploads): (request: Incoming, response: Outgoing) => Promise<void> {
  return async (request, response) => {
    const reply = await uploads(requestOf(request));
    response.writeHead(reply.status, Object.fromEntries(reply.headers));
    response.end(new Uint8Array(await reply.arrayBuffer()));
  };
}

function requestOf(incoming: Incoming): Request {
  const { method = 'GET', headers, body } = incoming;
  const pairs = Object.entries(headers).flatMap(([name, value]) => {
    return value === undefined || name.startsWith(':') ? [] : [[name, String(value)] as [string, string]];
  });
  // Only path and query are used.
  const url = new URL(incoming.originalUrl ?? incoming.url ?? '/', 'http://localhost');
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers: pairs });
  const init = { method, headers: pairs, body: body === undefined ? streamOf(incoming) : parsed(body), duplex: 'half' };
  return new Request(url, init as RequestInit);
}

/** Returns a body that a parser has read as its JSON text. */
function parsed(body: unknown): BodyInit {
  return typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body);
}

function streamOf(incoming: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}
