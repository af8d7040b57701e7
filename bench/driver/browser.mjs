// The Chromium that is measured. Each run has a new browser, which is observed as little as possible.
//
// Test drivers make the browser report every request. Chromium then passes request bodies to the driver in Base64. This
// slows contestants that send buffers instead of files to a quarter of their speed or less. So this module uses
// DevTools without a test driver.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import CDP from 'chrome-remote-interface';
import { launchOptions } from '../../tests/e2e/browser.mjs';

/** Flags of the browser. Some of them prevent the browser from throttling its work in the background. */
const ARGS = [
  '--headless=new',
  '--remote-debugging-port=0',
  '--no-first-run',
  '--disable-component-update',
  '--disable-extensions',
  '--disable-sync',
  '--disable-field-trial-config',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Maximum time for the browser to start, in milliseconds. */
const START_MS = 20_000;

/** Starts a browser with one empty page. `failed` rejects when the page crashes or throws. */
export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'directput-browser-'));
  const child = spawn(launchOptions.executablePath, [...launchOptions.args, ...ARGS, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await exited;
    // Retries, because some processes outlive the main process and still write to the profile.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const port = await debuggingPort(child);
    const { webSocketDebuggerUrl } = await CDP.Version({ port });
    const browser = await CDP({ port, target: webSocketDebuggerUrl });
    const targets = await CDP.List({ port });
    const page = await CDP({ port, target: targets.find(({ type }) => type === 'page') });
    await Promise.all([page.Runtime.enable(), page.Inspector.enable()]);
    const failed = new Promise((_, reject) => {
      page.on('Inspector.targetCrashed', () => reject(new Error('the page crashed')));
      page.Runtime.exceptionThrown(({ exceptionDetails }) => reject(new Error(said(exceptionDetails))));
    });
    failed.catch(() => {});
    return {
      failed,
      /** Returns `{ id, type, cpuTime }` of each process. */
      processes: async () => (await browser.SystemInfo.getProcessInfo()).processInfo,
      open: (url) => page.Page.navigate({ url }),
      /** Runs an expression in the page and waits for its promise. */
      async evaluate(expression) {
        const { result, exceptionDetails } = await page.Runtime.evaluate({
          expression,
          awaitPromise: true,
          returnByValue: true,
        });
        if (exceptionDetails) throw new Error(said(exceptionDetails));
        return result.value;
      },
      /** Sets the files of an input, as if the user had chosen them. */
      async pick(selector, files) {
        const expression = `document.querySelector(${JSON.stringify(selector)})`;
        const { result } = await page.Runtime.evaluate({ expression });
        await page.DOM.setFileInputFiles({ objectId: result.objectId, files });
      },
      moveMouse: (x, y) => page.Input.dispatchMouseEvent({ type: 'mouseMoved', x, y }),
      async close() {
        await page.close();
        await browser.Browser.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves to the DevTools port that the browser prints. Kills the browser after `START_MS`. */
async function debuggingPort(child) {
  const lines = createInterface({ input: child.stderr });
  const late = setTimeout(() => child.kill(), START_MS);
  const found = new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const port = /^DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(line)?.[1];
      if (port) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error('the browser did not start')));
  });
  return found.finally(() => clearTimeout(late));
}

function said({ exception, text }) {
  return String(exception?.description ?? exception?.value ?? text).split('\n')[0];
}
