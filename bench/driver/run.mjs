// One run: uploads one set of files with one contestant in a new browser. Measures time, memory, processor time, and
// how long the page's main thread is blocked.
import { readFileSync } from 'node:fs';
import { LAN_HOST } from '../../tests/e2e/browser.mjs';
import { openBrowser } from './browser.mjs';

const MIB = 1 << 20;

/** Time between two readings of memory, in milliseconds. */
const SAMPLE_MS = 50;

/** Returns the private memory of the browser's processes of one type, in bytes. */
function memoryOf(processes, type) {
  let kibibytes = 0;
  for (const { id } of processes.filter((process) => process.type === type)) {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      kibibytes += Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0);
    } catch {
      // The process has ended.
    }
  }
  return kibibytes * 1024;
}

/**
 * Watches the browser's processes. Returns a function that stops, and resolves to the growth of memory and the CPU
 * time.
 */
async function watchProcesses(browser) {
  const cpuSeconds = (processes) => processes.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  const processInfo = await browser.processes();
  const read = () => ({ renderer: memoryOf(processInfo, 'renderer'), browser: memoryOf(processInfo, 'browser') });
  const before = read();
  const most = { ...before };
  const timer = setInterval(() => {
    const now = read();
    for (const type of Object.keys(most)) most[type] = Math.max(most[type], now[type]);
  }, SAMPLE_MS);
  const stop = () => clearInterval(timer);
  const end = async () => {
    stop();
    return {
      renderer: (most.renderer - before.renderer) / MIB,
      browser: (most.browser - before.browser) / MIB,
      cpuSeconds: cpuSeconds(await browser.processes()) - cpuSeconds(processInfo),
    };
  };
  return Object.assign(end, { stop });
}

/**
 * Waits for the promise `globalThis.ready`. The page's script sets it when the script has loaded: late on a slow link.
 */
const READY = `new Promise((resolve) => {
  const look = () => (globalThis.ready ? resolve(globalThis.ready) : setTimeout(look, 20));
  look();
})`;

/** Moves the mouse every 150 ms, so that the page can measure its input delay. */
function moveMouse(browser) {
  let at = 0;
  const timer = setInterval(() => {
    at = (at + 7) % 100;
    browser.moveMouse(10 + at, 40).catch(() => {});
  }, 150);
  return () => clearInterval(timer);
}

async function counts(server) {
  return (await fetch(`${server.page}/-/counts`)).json();
}

/** Runs one upload. Resolves to its results, or to `{ error }`. */
export async function run(server, contestant, paths, { bytes, isLazy, timeoutSeconds }) {
  const browser = await openBrowser();
  try {
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`not done after ${timeoutSeconds} s`)), timeoutSeconds * 1000).unref();
    });
    const failed = Promise.race([browser.failed, late]);
    failed.catch(() => {});
    const origin = contestant === 'directput-wasm' ? server.page.replace('127.0.0.1', LAN_HOST) : server.page;
    const query = new URLSearchParams({ contestant, s3: server.s3, bucket: server.bucket, lazy: isLazy ? '1' : '' });
    await browser.open(`${origin}/?${query}`);
    await Promise.race([browser.evaluate(READY), failed]);
    await browser.pick('#file', paths);
    const countsBefore = await counts(server);
    const processes = await watchProcesses(browser);
    const mouse = moveMouse(browser);
    try {
      const seen = await Promise.race([browser.evaluate('globalThis.run()'), failed]);
      const countsAfter = await counts(server);
      const grown = await processes();
      return {
        mibPerSecond: bytes / MIB / seen.seconds,
        longTaskMs: seen.longTaskMs,
        frameMs: seen.frameMs,
        inputDelayMs: seen.inputDelayMs,
        rendererMib: grown.renderer,
        browserMib: grown.browser,
        cpuMsPerMib: (grown.cpuSeconds * 1000 * MIB) / bytes,
        apiCalls: countsAfter.apiCalls - countsBefore.apiCalls,
        ...(isLazy && { firstByteMs: countsAfter.newestPutMs - seen.startedAtMs }),
      };
    } finally {
      mouse();
      processes.stop();
    }
  } catch (error) {
    return { error: String(error.message ?? error).split('\n')[0] };
  } finally {
    await browser.close();
  }
}
