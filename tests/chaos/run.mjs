// One run: a page uploads the files of a seed through the proxy, and each upload is checked.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { curlAs, MIB, makeFile } from '../e2e/bucket.mjs';
import { Plan } from './faults.mjs';
import { Uplink } from './proxy.mjs';
import { Random } from './random.mjs';

/** Maximum size of a file that is sent in one PUT, in bytes: `SINGLE_PUT_BYTES` of `src/plan.rs`. */
const SINGLE_PUT_BYTES = 16 * MIB;

/** Maximum time of an upload, in milliseconds. It allows for the maximum of 40 faults. */
const LIMIT_MS = 420_000;

/** Maximum time for which the proxy may still forward a body after the upload has ended, in milliseconds. */
const LATER_MS = 1_000;

/** Speed of runs with an event during the upload, in bytes per second. */
const MIDWAY_BYTES_PER_SECOND = 8 * MIB;

/** Draws the files, the event and the settings of a seed. */
export function draw(seed, kinds) {
  const random = new Random(seed, 'run');
  const plan = new Plan(seed, kinds);
  const event = random.pick(['none', 'none', 'none', 'none', 'cancel', 'cancel', 'reload', 'crash']);
  const isLeft = event === 'reload' || event === 'crash';
  const files = Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, at) => {
    // A single PUT has no record, so runs that leave the page have files of several parts.
    const isLarge = isLeft || random.chance(0.4);
    const size = isLarge
      ? random.whole(SINGLE_PUT_BYTES + 1, 40 * MIB)
      : random.pick([0, 1, random.whole(2, MIB), random.whole(MIB, SINGLE_PUT_BYTES)]);
    return { name: `s${seed}-${at}.bin`, size };
  });
  return {
    seed,
    plan,
    event,
    files,
    /** Share of the first file after which the event happens, from 0 to 1. */
    eventAt: random.between(0.05, 0.95),
    isCrossOrigin: random.chance(0.5),
    options: {
      worker: random.chance(0.8),
      partsInFlight: random.pick([1, 3, 6, 6, 6]),
      ...(plan.kinds.includes('stall') && { stallSeconds: 5 }),
      checksum: random.pick(['sha256', 'sha256', 'sha256', 'crc64nvme']),
    },
    uplink: event === 'none' ? undefined : new Uplink(MIDWAY_BYTES_PER_SECOND),
    history: [],
    puts: 0,
  };
}

/** Runs a seed. Returns the outcome of each file. Throws if a check fails. */
export async function play(run, { at, proxy, browser }) {
  const stage = new Stage(run, { at, proxy, browser });
  try {
    return await stage.play();
  } finally {
    await stage.close();
  }
}

class Stage {
  constructor(run, { at, proxy, browser }) {
    Object.assign(this, { run, at, proxy, browser, endings: [], removed: [], claims: [] });
  }

  async play() {
    const { run, proxy } = this;
    const name = `seed-${run.seed}`;
    proxy.enter(name, run);
    this.endpoint = `${run.isCrossOrigin ? proxy.api : proxy.page}/${name}/uploads`;
    this.paths = await Promise.all(run.files.map(({ name, size }) => makeFile(name, size)));
    this.context = await this.browser.newContext();
    await this.visit();
    const isCancelled = run.event === 'cancel';
    for (const [index, { name }] of run.files.entries()) {
      await this.upload(name, isCancelled && index === 0 ? { cancelAt: run.eventAt } : {});
    }
    if (run.event === 'reload' || run.event === 'crash') await this.leave();
    await Promise.all(run.files.map((file, index) => this.follow(file, isCancelled && index === 0)));
    await this.nothingRemains();
    await this.nextVisitRemoves();
    return this.endings.join(', ');
  }

  async close() {
    await this.context?.close();
  }

  async visit() {
    this.page = await this.context.newPage();
    await this.settle();
  }

  /** Prepares the page with its files and an uploader. */
  async settle() {
    const { page, proxy, run, endpoint } = this;
    if (page.url() === 'about:blank') await page.goto(proxy.page);
    await page.locator('body[data-state=ready]').waitFor({ timeout: 30_000 });
    await page.setInputFiles('#files', this.paths);
    await page.evaluate((options) => chaos.open(options), { endpoint, ...run.options });
  }

  upload(name, options) {
    return this.page.evaluate(([name, options]) => chaos.upload(name, options), [name, options]);
  }

  stateOf(name) {
    return this.page.evaluate((name) => chaos.uploads[name], name);
  }

  /** Reloads or crashes the page during the uploads, and resumes those that have not ended. */
  async leave() {
    const { run } = this;
    const [{ name, size }] = run.files;
    const states = async () => Promise.all(run.files.map(({ name }) => this.stateOf(name)));
    const until = performance.now() + 30_000;
    let first = await this.stateOf(name);
    while (performance.now() < until && !first.outcome && !(first.progress?.sentBytes > run.eventAt * size)) {
      await sleep(50);
      first = await this.stateOf(name);
    }
    const ended = await states();
    run.history.push(`the page is left by a ${run.event}`);
    if (run.event === 'reload') {
      await this.page.reload();
      await this.settle();
    } else {
      const session = await this.context.newCDPSession(this.page);
      const crashed = this.page.waitForEvent('crash');
      session.send('Page.crash').catch(() => {});
      await crashed;
      await this.visit();
    }
    for (const [index, { name }] of run.files.entries()) {
      if (ended[index].outcome) {
        await this.page.evaluate((known) => Object.assign(chaos.uploads, known), { [name]: ended[index] });
        continue;
      }
      const resumeId = await this.resumable(name);
      run.history.push(`${name}: ${resumeId ? 'resumes' : 'begins'}`);
      await this.upload(name, resumeId ? { resumeId } : {});
    }
  }

  /** Returns the id of the unfinished upload of a file. A closed page releases its uploads a moment later. */
  async resumable(name) {
    for (let wait = 0; wait < 20; wait += 1) {
      const id = await this.page.evaluate((name) => chaos.resumable(name), name);
      if (id) return id;
      await sleep(100);
    }
    return undefined;
  }

  async outcomeOf(name) {
    const until = performance.now() + LIMIT_MS;
    for (;;) {
      const state = await this.stateOf(name);
      if (state.outcome) return state.outcome;
      assert.ok(performance.now() < until, `${name} is stuck: ${JSON.stringify(state)}`);
      await sleep(100);
    }
  }

  /** Waits for the end of an upload, and compares the result with the bucket. */
  async follow(file, isCancelled) {
    const outcome = await this.outcomeOf(file.name);
    const { isStored, error } = outcome;
    this.endings.push(`${file.size} B ${isStored ? 'stored' : error.code}`);
    this.run.history.push(`${file.name}: ${JSON.stringify(outcome)}`);
    if (isStored) return this.isStored(file, outcome.result);
    this.objectsOf(file);
    if (error.code === 'aborted') assert.ok(isCancelled, `${file.name} is aborted, and was not cancelled`);
    // If the error has no `remains`, its code determines the value.
    const remains = error.remains ?? (error.code === 'aborted' ? 'nothing' : 'unknown');
    if (remains === 'nothing') this.claims.push({ file, error });
    if (error.retryable || error.resumeId) await this.goesOn(file, error);
    else this.isRemoved(file, error);
  }

  /**
   * Checks that the bucket has no object of an upload with the error member `remains: 'nothing'`, even after a wait.
   */
  async nothingRemains() {
    if (this.claims.length === 0) return;
    await sleep(LATER_MS);
    for (const { file, error } of this.claims) {
      assert.deepEqual(this.objectsOf(file), [], `${file.name}: ${error.code}, but the bucket has it`);
    }
  }

  /**
   * Returns the keys of a file's objects. Checks that each object is equal to the file, and that there is at most one.
   */
  objectsOf({ name }) {
    const pathOf = (key) => join(this.at.data, this.at.bucket, key);
    const keys = this.uploadsOf(name).map(({ key }) => key);
    const stored = keys.filter((key) => existsSync(pathOf(key)));
    const file = readFileSync(this.paths.find((path) => basename(path) === name));
    for (const key of stored) assert.ok(readFileSync(pathOf(key)).equals(file), `${key} is not ${name}`);
    assert.ok(stored.length <= 1, `${name} is stored ${stored.length} times`);
    return stored;
  }

  uploadsOf(name) {
    return this.proxy.uploadsOf(this.run, name);
  }

  /** Returns the uploads of a file whose token the client has. */
  known({ name }) {
    return this.uploadsOf(name).filter(({ isKnown, isSpoilt }) => isKnown && !isSpoilt);
  }

  isStored(file, result) {
    const objects = this.objectsOf(file);
    assert.ok(
      objects.length > 0,
      `${file.name} is reported stored as ${result.key}, and the bucket has no such object`,
    );
    assert.deepEqual([result.key], objects, `the key of ${file.name}`);
    assert.equal(result.size, file.size, `the size of ${file.name}`);
  }

  /** Checks that a resumable upload of several parts is kept, and arrives after the faults have ended. */
  async goesOn(file, error) {
    const kept = this.known(file).filter(({ kind }) => kind === 'multipart');
    if (kept.length === 0) return;
    const isThere = this.objectsOf(file).length > 0;
    const open = openKeys(this.at);
    const isOpen = kept.some(({ key }) => open.has(key));
    assert.ok(isThere || isOpen, `${file.name}: ${error.code}, and its parts are gone`);
    assert.ok(error.resumeId, `${file.name}: ${error.code}, and no resumeId`);
    this.run.plan.isOn = false;
    await this.upload(file.name, { resumeId: error.resumeId });
    const outcome = await this.outcomeOf(file.name);
    assert.ok(outcome.isStored, `${file.name} is resumed, and ends with ${outcome.error?.code}`);
    this.isStored(file, outcome.result);
    this.endings.push('resumed');
  }

  /**
   * Checks that no parts are left after a final failure that reports `remains: 'nothing'`. The next visit removes the
   * parts of other failures.
   */
  isRemoved(file, error) {
    const left = this.leftOf(file);
    if (error.remains === 'nothing') {
      assert.deepEqual(left, [], `${file.name}: ${error.code}, nothing remains, but parts do`);
    }
    if (left.length > 0) this.removed.push(file);
  }

  /** Returns the keys of a file's open uploads that the client knows. */
  leftOf({ name }) {
    const open = openKeys(this.at);
    return this.known({ name })
      .map(({ key }) => key)
      .filter((key) => open.has(key));
  }

  /** Checks that the next visit, without faults, removes the uploads that could not be removed. */
  async nextVisitRemoves() {
    const { removed, run } = this;
    if (removed.length === 0) return;
    run.plan.isOn = false;
    await this.page.close();
    await this.visit();
    const left = () => removed.flatMap((file) => this.leftOf(file));
    for (let wait = 0; wait < 50 && left().length > 0; wait += 1) await sleep(200);
    assert.deepEqual(left(), [], `parts of ${removed.map(({ name }) => name)} are left after the next visit`);
    this.endings.push('the rest removed later');
  }
}

/** Returns the keys of open multipart uploads. */
export function openKeys(at) {
  const xml = curlAs(at, `${at.bucket}?uploads=`);
  return new Set([...xml.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key));
}
