// The faults of the proxy: for each kind of fault, the requests to which it applies, and how it is injected.
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from './random.mjs';

const LOGIN_PAGE = '<!doctype html><title>Sign in</title><form><input name="user"></form>';
const GATEWAY_PAGE = '<html><body><h1>Bad Gateway</h1></body></html>';
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Maximum delay of a late request or answer, in milliseconds. */
const LATE_MS = 3_000;

/** Answers of captive portals, filters and proxies. */
const PORTAL_ANSWERS = {
  '200 page': { status: 200, headers: HTML, body: LOGIN_PAGE },
  '200 empty': { status: 200, headers: {}, body: '' },
  '200 null': { status: 200, headers: JSON_TYPE, body: 'null' },
  '200 list': { status: 200, headers: JSON_TYPE, body: '[]' },
  204: { status: 204, headers: {}, body: '' },
  '403 page': { status: 403, headers: HTML, body: LOGIN_PAGE },
  '407 page': { status: 407, headers: { ...HTML, 'proxy-authenticate': 'Basic realm="proxy"' }, body: LOGIN_PAGE },
  '511 page': { status: 511, headers: HTML, body: LOGIN_PAGE },
  '503 page': { status: 503, headers: HTML, body: LOGIN_PAGE },
};

const CALLS = ['create', 'sign', 'list', 'complete', 'abort'];
const ALL = [...CALLS, 'put'];

/**
 * Kinds of faults. `on`: the requests to which a fault applies. `weight`: its relative frequency. `inject`: injects the
 * fault into an exchange, with the random draws of the request.
 */
export const KINDS = {
  'drop-before': { on: ALL, inject: (exchange) => exchange.cut() },
  'drop-midway': {
    on: ALL,
    async inject(exchange) {
      await exchange.readHalf();
      exchange.cut();
    },
  },
  'drop-after': {
    on: ALL,
    async inject(exchange) {
      await exchange.forward();
      exchange.cut();
    },
  },
  twice: {
    on: ALL,
    async inject(exchange, random) {
      await exchange.readAll();
      const answers = [await exchange.forward(), await exchange.forward()];
      exchange.send(random.pick(answers));
    },
  },
  late: {
    on: ALL,
    async inject(exchange, random) {
      const [wait, isAnswer] = [random.between(0, LATE_MS), random.chance(0.5)];
      if (!isAnswer) await sleep(wait);
      const answer = await exchange.forward();
      if (isAnswer) await sleep(wait);
      exchange.send(answer);
    },
  },
  cut: {
    on: ALL,
    async inject(exchange) {
      exchange.sendHalf(await exchange.forward());
    },
  },
  short: {
    on: ['create', 'sign', 'list', 'complete'],
    async inject(exchange) {
      const answer = await exchange.forward();
      exchange.send({ ...answer, body: answer.body.subarray(0, answer.body.length >> 1) });
    },
  },
  portal: {
    on: ALL,
    async inject(exchange, random) {
      const name = random.pick(Object.keys(PORTAL_ANSWERS));
      const hasCors = random.chance(0.6);
      const isEarly = random.chance(0.1);
      exchange.note(`${name}${hasCors ? ' with CORS' : ''}${isEarly ? ', early' : ''}`);
      if (!isEarly) await exchange.readAll();
      exchange.fake(PORTAL_ANSWERS[name], hasCors);
    },
  },
  redirect: {
    on: ALL,
    async inject(exchange, random) {
      const [isOther, hasCors] = [random.chance(0.5), random.chance(0.6)];
      exchange.note(`${isOther ? 'other' : 'same'} origin${hasCors ? ' with CORS' : ''}`);
      await exchange.readAll();
      const location = `${isOther ? exchange.loginUrl : ''}/login${hasCors ? '?cors' : ''}`;
      exchange.fake({ status: 302, headers: { location }, body: '' }, hasCors);
    },
  },
  slow: {
    on: ALL,
    async inject(exchange, random) {
      const bytesPerSecond = random.between(1, 4) * 2 ** 20;
      const answer = await exchange.forward({ bytesPerSecond });
      await exchange.drip(answer, random.between(100, 1_000));
    },
  },
  stall: {
    on: ALL,
    weight: 0.1,
    async inject(exchange, random) {
      const when = random.pick(['at once', 'after the body', 'after the act']);
      exchange.note(when);
      if (when !== 'at once') await exchange.readAll();
      if (when === 'after the act') await exchange.forward();
      await exchange.isLeft();
    },
  },
  'flip-body': {
    on: ['put'],
    async inject(exchange, random) {
      const body = Buffer.from(await exchange.readAll());
      if (body.length > 0) body[random.whole(0, body.length - 1)] ^= 1 << random.whole(0, 7);
      exchange.body = body;
      exchange.send(await exchange.forward());
    },
  },
  'flip-answer': {
    on: ['create', 'sign', 'list', 'complete', 'put'],
    async inject(exchange, random) {
      const answer = await exchange.forward();
      const { etag } = answer.headers;
      if (answer.body.length > 0) answer.body = flipped(answer.body, random);
      else if (etag) answer.headers.etag = flippedDigit(etag, random);
      exchange.send(answer);
    },
  },
  'abort-page': {
    on: ['abort'],
    async inject(exchange) {
      await exchange.readAll();
      exchange.fake(PORTAL_ANSWERS['200 page'], true);
    },
  },
  gateway: {
    on: ALL,
    async inject(exchange, random) {
      const [status, hasCors] = [random.pick([502, 504]), random.chance(0.6)];
      exchange.note(`${status}${hasCors ? ' with CORS' : ''}`);
      await exchange.forward();
      exchange.fake({ status, headers: HTML, body: GATEWAY_PAGE }, hasCors);
    },
  },
  busy: {
    on: ALL,
    async inject(exchange, random) {
      const status = random.pick([429, 503]);
      const seconds = random.pick([undefined, 1, 2]);
      exchange.note(`${status}, Retry-After ${seconds}`);
      await exchange.readAll();
      const wait = seconds === undefined ? {} : { 'retry-after': String(seconds) };
      const isPut = exchange.target === 'put';
      const body = isPut ? '<Error><Code>SlowDown</Code></Error>' : '{"message":"busy"}';
      const headers = { 'content-type': isPut ? 'application/xml' : 'application/json', ...wait };
      exchange.fake({ status, headers, body }, true);
    },
  },
  preflight: {
    on: ['preflight'],
    inject(exchange, random) {
      const what = random.pick(['cut', '200 page', '204', '403 page', 'redirect']);
      exchange.note(what);
      if (what === 'cut') exchange.cut();
      else if (what === 'redirect') exchange.fake({ status: 302, headers: { location: '/login' }, body: '' }, false);
      else exchange.fake(PORTAL_ANSWERS[what], false);
    },
  },
};

/**
 * Returns an answer with one changed bit. Origins of URLs are not changed, because requests must not leave the machine.
 */
function flipped(bytes, random) {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const origins = [...bytes.toString('latin1').matchAll(/https?:\/\/[^/]+/g)];
  const isInOrigin = (at) => origins.some(({ 0: text, index }) => at >= index && at < index + text.length + 1);
  let at = random.whole(0, bytes.length - 1);
  while (isInOrigin(at)) at = random.whole(0, bytes.length - 1);
  copy[at] ^= 1 << random.whole(0, 6);
  return copy;
}

/** Returns an ETag with one changed hexadecimal digit, because a header can't have arbitrary bytes. */
function flippedDigit(etag, random) {
  const at = random.whole(1, etag.length - 2);
  return `${etag.slice(0, at)}${etag[at] === '0' ? '1' : '0'}${etag.slice(at + 1)}`;
}

/** Faults of one run, drawn from its seed or limited to the named kinds. */
export class Plan {
  #seed;
  #attempts = new Map();
  /** Number of injected faults by kind. */
  hits = new Map();
  #left;
  #requests = 0;
  #stalls = 0;

  constructor(seed, names) {
    this.#seed = seed;
    const random = new Random(seed, 'plan');
    const all = Object.keys(KINDS);
    const drawn = random.chance(0.5) ? [random.pick(all)] : random.sample(all, random.whole(2, all.length));
    /** Kinds that may be drawn. */
    this.kinds = names ?? drawn;
    /** Requests to which faults apply. */
    this.targets = random.chance(0.5)
      ? [...ALL, 'preflight']
      : random.sample([...ALL, 'preflight'], random.whole(2, 5));
    if (names || !this.kinds.some((kind) => this.#applies(kind))) this.targets = [...ALL, 'preflight'];
    // An outage may end an upload: the upload ends after 7 failures of a call or part that has never succeeded.
    const isOutage = random.chance(0.2);
    /** Probability of a fault for each request. */
    this.odds = isOutage ? 1 : random.pick([0.2, 0.4, 0.7, 1]);
    /** Maximum number of attempts of a part or call that get a fault. */
    this.perPlace = isOutage ? 10 : random.pick([1, 2, 2, 3, 4]);
    /** Maximum number of faults. */
    this.total = isOutage ? 40 : random.pick([3, 10, 25, 40]);
    /** Number of requests before the first fault. */
    this.head = isOutage ? random.whole(0, 6) : 0;
    this.#left = this.total;
    /** Whether faults are injected. */
    this.isOn = true;
  }

  #applies(kind) {
    return KINDS[kind].on.some((target) => this.targets.includes(target));
  }

  /**
   * Returns the kind of fault for this attempt of a part or a call, and its random draws; undefined without a fault.
   */
  draw(target, place) {
    const attempt = (this.#attempts.get(place) ?? 0) + 1;
    this.#attempts.set(place, attempt);
    const random = new Random(this.#seed, place, attempt);
    if (target !== 'preflight' && this.#requests++ < this.head) return undefined;
    if (!this.isOn || attempt > this.perPlace || this.#left === 0 || !this.targets.includes(target)) return undefined;
    const kinds = this.kinds.filter((kind) => KINDS[kind].on.includes(target));
    if (kinds.length === 0 || !random.chance(this.odds)) return undefined;
    const kind = pickByWeight(kinds, random);
    // A stalled call takes 35 s, so a run has at most two stalls.
    if (kind === 'stall' && ++this.#stalls > 2) return undefined;
    this.#left -= 1;
    this.hits.set(kind, (this.hits.get(kind) ?? 0) + 1);
    return { kind, random, attempt };
  }

  toString() {
    const { kinds, targets, odds, perPlace, total, head } = this;
    return `${kinds.join(' ')} on ${targets.join(' ')}; odds ${odds}, ${perPlace} a place, ${total} in all, after ${head} requests`;
  }
}

function pickByWeight(kinds, random) {
  const weightOf = (kind) => KINDS[kind].weight ?? 1;
  let left = random.between(
    0,
    kinds.reduce((sum, kind) => sum + weightOf(kind), 0),
  );
  for (const kind of kinds) {
    left -= weightOf(kind);
    if (left < 0) return kind;
  }
  return kinds[0];
}
