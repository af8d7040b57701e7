// A proxy in front of API and bucket that injects faults. It records from the API's answers which object belongs to
// which file. The tests compare results with these records.
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { Agent, createServer, request as httpRequest } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { KINDS } from './faults.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Length of one forwarded piece of a body, in bytes. */
const PIECE_BYTES = 4_096;

/** Maximum delay of a timer for which a link compensates, in milliseconds. */
const BURST_MS = 10;

/** Link of limited speed that several streams share. */
export class Uplink {
  #freeAt = 0;
  #last = Promise.resolve();

  constructor(bytesPerSecond) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Waits until the link has carried `bytes` bytes. */
  async carry(bytes) {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now - BURST_MS) + (bytes * 1_000) / this.bytesPerSecond;
    await sleep(this.#freeAt - now);
  }

  /** Runs a function after all earlier functions have ended. */
  turn(action) {
    const ended = this.#last.then(action);
    this.#last = ended.catch(() => {});
    return ended;
  }

  /** Returns a stream that passes bytes at the speed of the link. */
  stream() {
    return new Transform({
      transform: (chunk, _, done) => this.carry(chunk.length).then(() => done(undefined, chunk), done),
    });
  }
}

/** Proxy with four listeners: pages with the API, the API alone, the bucket, and a portal's login page. */
export class ChaosProxy {
  #listeners = [];
  /** Addresses of the server behind the proxy: `{ api, bucket }`. */
  upstream = {};
  /** Runs by the first path segment of their endpoint. */
  #runs = new Map();
  /** Opened uploads by key. */
  #uploads = new Map();
  /** Agent without keep-alive, so that the server can't close a connection just when it is used again. */
  #agent = new Agent({ keepAlive: false });

  static async start() {
    const proxy = new ChaosProxy();
    const listen = (handle) => proxy.#listen(handle);
    proxy.page = await listen((exchange) => proxy.#serve(exchange) || proxy.#call(exchange));
    proxy.api = await listen((exchange) => proxy.#call(exchange));
    proxy.bucket = await listen((exchange) => proxy.#put(exchange));
    proxy.login = await listen((exchange) => exchange.login());
    return proxy;
  }

  async #listen(handle) {
    const server = createServer(async (request, response) => {
      const exchange = new Exchange(this, request, response);
      try {
        if (request.url.startsWith('/login')) await exchange.login();
        else await handle(exchange);
      } catch (error) {
        if (!exchange.hasLeft) exchange.run?.history.push(`proxy: ${error.message}`);
        exchange.cut();
      }
    });
    // This is longer than the time for which a connection is idle in a test.
    server.keepAliveTimeout = 120_000;
    server.requestTimeout = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#listeners.push(server);
    return `http://127.0.0.1:${server.address().port}`;
  }

  stop() {
    for (const server of this.#listeners) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Adds a run with the endpoint `/<name>/uploads`. */
  enter(name, run) {
    this.#runs.set(name, run);
  }

  /** Returns the uploads of a file of a run, in the order in which the API opened them. */
  uploadsOf(run, name) {
    return [...this.#uploads.values()].filter((upload) => upload.run === run && upload.name === name);
  }

  /** Returns the upload with this key. */
  uploadOf(key) {
    return this.#uploads.get(key);
  }

  #serve({ request, response }) {
    const { pathname } = new URL(request.url, this.page);
    const name = normalize(pathname === '/' ? '/page.html' : pathname);
    const path = name.startsWith('/directput/') ? join('pkg', name.slice(11)) : join('tests/chaos', name);
    if (request.method !== 'GET' || !TYPES[extname(path)] || !existsSync(path)) return false;
    response.writeHead(200, { 'content-type': TYPES[extname(path)], 'cache-control': 'no-cache' });
    createReadStream(path).pipe(response);
    return true;
  }

  async #call(exchange) {
    const { request } = exchange;
    const [, name, path] = /^\/([^/]+)(\/uploads.*)$/.exec(request.url) ?? [];
    const run = this.#runs.get(name);
    if (!run) return exchange.fake({ status: 404, headers: {}, body: '' }, false);
    const target = targetOf(request.method, path);
    exchange.lead(this.upstream.api, path, target, run);
    const token = request.headers['upload-token'];
    const upload = token && [...this.#uploads.values()].find((upload) => upload.token === token);
    if (upload) upload.isKnown = true;
    if (target === 'create') {
      // The request opens one upload, or a batch of several.
      const request = JSON.parse(await exchange.readAll());
      const names = (request.uploads ?? [request]).map(({ name }) => name);
      exchange.onAnswer = (answer) => this.#opened(exchange, names, answer);
      return this.#inject(exchange, `${names.join(' and ')} create`);
    }
    const places = target === 'sign' ? ` ${JSON.parse(await exchange.readAll()).parts?.[0]?.number}` : '';
    await this.#inject(exchange, `${upload?.name ?? path} ${target}${places}`);
  }

  #opened({ run, kind: fault }, names, { status, body }) {
    if (status >= 300) return;
    const reply = JSON.parse(body);
    // If the reply is damaged, the client has no valid token of the upload.
    const isSpoilt = fault === 'flip-answer';
    for (const [index, { key, token, kind }] of (reply.uploads ?? [reply]).entries())
      if (key) this.#uploads.set(key, { run, name: names[index], key, token, kind, isKnown: false, isSpoilt });
  }

  async #put(exchange) {
    const { request } = exchange;
    const { pathname, searchParams } = new URL(request.url, this.bucket);
    const upload = this.#uploads.get(pathname.split('/').slice(2).join('/'));
    const isPresigned = searchParams.has('X-Amz-Signature');
    const target = request.method === 'OPTIONS' ? 'preflight' : 'put';
    exchange.lead(this.upstream.bucket, request.url, target, upload?.run);
    // Requests of the API to the bucket do not use the user's network.
    if (!upload || !isPresigned) return exchange.send(await exchange.forward());
    if (target === 'put') upload.isKnown = true;
    await this.#inject(exchange, `${upload.name} ${target} ${searchParams.get('partNumber') ?? 1}`);
  }

  async #inject(exchange, place) {
    const { run, target } = exchange;
    const fault = run.plan.draw(target, place);
    exchange.place = `${place} #${fault?.attempt}`;
    if (target === 'put') run.puts += 1;
    if (!fault && target === 'put' && run.box) return exchange.passThroughBox(run.box);
    if (!fault) {
      const answer = await exchange.forward({ uplink: target === 'put' ? run.uplink : undefined });
      if (answer.status >= 400) run.history.push(`${place}: the server itself answers ${answer.status}`);
      return exchange.send(answer);
    }
    exchange.kind = fault.kind;
    exchange.note();
    await KINDS[fault.kind].inject(exchange, fault.random);
  }

  /** Sends a request to the server behind the proxy. */
  request(base, path, options) {
    return httpRequest(new URL(path, base), { ...options, agent: this.#agent, setHost: false });
  }
}

function targetOf(method, path) {
  if (method === 'OPTIONS') return 'preflight';
  if (method === 'DELETE') return 'abort';
  if (path.startsWith('/uploads/complete')) return 'complete';
  if (path.startsWith('/uploads/parts')) return method === 'GET' ? 'list' : 'sign';
  return 'create';
}

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** A request to the proxy, and its answer. */
class Exchange {
  #proxy;
  #leaving;
  /** Body, after it was read. */
  body;
  /** Callback that gets every answer of the server. */
  onAnswer;

  constructor(proxy, request, response) {
    this.#proxy = proxy;
    this.request = request;
    this.response = response;
    this.startedAt = Date.now();
    this.#leaving = once(response, 'close');
    request.on('error', () => {});
    response.on('error', () => {});
  }

  /** Sets the target of the request, and its run. */
  lead(base, path, target, run) {
    Object.assign(this, { base, path, target, run });
  }

  get loginUrl() {
    return this.#proxy.login;
  }

  /** Whether the client has aborted the request. */
  get hasLeft() {
    return this.response.destroyed && !this.response.writableFinished;
  }

  /** Waits until the client has aborted the request. */
  isLeft() {
    return this.#leaving;
  }

  /** Records the fault of the request. */
  note(more) {
    if (more === undefined) this.run.history.push(`${this.place}: ${this.kind}`);
    else this.run.history[this.run.history.length - 1] += ` ${more}`;
  }

  async readAll() {
    if (this.body) return this.body;
    const chunks = [];
    for await (const chunk of this.request) chunks.push(chunk);
    this.body = Buffer.concat(chunks);
    return this.body;
  }

  async readHalf() {
    if (this.body) return;
    let left = Number(this.request.headers['content-length'] ?? 0) / 2;
    for await (const chunk of this.request) {
      left -= chunk.length;
      if (left <= 0) return;
    }
  }

  /** Forwards the request, optionally at a limited speed. Returns the server's answer. */
  async forward({ bytesPerSecond, uplink = bytesPerSecond && new Uplink(bytesPerSecond) } = {}) {
    if (this.hasLeft) throw new Error('the client has left');
    const headers = { ...this.request.headers, connection: 'close' };
    if (this.body) headers['content-length'] = String(this.body.length);
    const onward = this.#proxy.request(this.base, this.path, { method: this.request.method, headers });
    const answered = once(onward, 'response');
    answered.catch(() => {});
    onward.on('error', () => {});
    if (this.body && uplink) {
      this.response.on('close', () => onward.destroy());
      Readable.from(pieces(this.body)).pipe(uplink.stream()).pipe(onward);
    } else if (this.body) {
      onward.end(this.body);
    } else {
      // An incomplete body must not look complete to the server.
      this.request.on('close', () => this.request.complete || onward.destroy());
      const source = uplink ? this.request.pipe(uplink.stream()) : this.request;
      source.pipe(onward);
    }
    const [reply] = await answered;
    const chunks = [];
    for await (const chunk of reply) chunks.push(chunk);
    const {
      connection: _,
      'transfer-encoding': __,
      'content-length': ___,
      'keep-alive': ____,
      ...kept
    } = reply.headers;
    const answer = { status: reply.statusCode, headers: kept, body: Buffer.concat(chunks) };
    this.onAnswer?.(answer);
    return answer;
  }

  /**
   * Receives the body at full speed. Forwards it after all earlier bodies have been sent, at the speed of the box. If
   * the client aborts the request, the rest of the body is not forwarded.
   */
  async passThroughBox(box) {
    await this.readAll();
    await box.turn(async () => {
      if (!this.hasLeft) this.send(await this.forward({ uplink: box }));
    });
  }

  /** Sends an answer. */
  send({ status, headers, body }) {
    if (this.response.destroyed) return;
    this.response.writeHead(
      status,
      status === 204 ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
    );
    this.response.end(body);
  }

  /** Answers in place of the server. */
  fake({ status, headers, body }, hasCors) {
    const origin = this.request.headers.origin;
    const cors = hasCors && origin ? { 'access-control-allow-origin': origin } : {};
    // A connection with an unread request can't be reused.
    const rest = this.request.complete ? {} : { connection: 'close' };
    this.send({ status, headers: { ...headers, ...cors, ...rest }, body });
  }

  /** Sends half of the answer's body, and breaks the connection. */
  sendHalf({ status, headers, body }) {
    const whole = body.length > 0 ? body : Buffer.alloc(20, ' ');
    if (this.response.destroyed) return;
    this.response.writeHead(status, { ...headers, 'content-length': whole.length });
    this.response.write(whole.subarray(0, whole.length >> 1), () => setTimeout(() => this.cut(), 20));
  }

  /** Sends the answer in four pieces. */
  async drip({ status, headers, body }, ms) {
    if (body.length === 0) {
      await sleep(ms);
      return this.send({ status, headers, body });
    }
    if (this.response.destroyed) return;
    this.response.writeHead(status, { ...headers, 'content-length': body.length });
    const length = Math.ceil(body.length / 4);
    for (let at = 0; at < body.length; at += length) {
      this.response.write(body.subarray(at, at + length));
      await sleep(ms / 4);
    }
    this.response.end();
  }

  /** Breaks the connection. */
  cut() {
    this.response.destroy();
    this.request.socket?.destroy();
  }

  /** Answers every method with a portal's login page. */
  async login() {
    const hasCors = this.request.url.endsWith('?cors');
    await this.readAll();
    const { origin } = this.request.headers;
    const allowed = { 'access-control-allow-methods': 'PUT, POST, GET, DELETE', 'access-control-allow-headers': '*' };
    const cors = hasCors ? { 'access-control-allow-origin': origin ?? '*', ...allowed } : {};
    this.send({ status: 200, headers: { 'content-type': 'text/html', ...cors }, body: '<title>Sign in</title>' });
  }
}
