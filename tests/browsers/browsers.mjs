// Starts three browsers, each with its own WebDriver, and a proxy. With the proxy, a page has a host name that is not a
// secure context.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Builder, Capabilities } from 'selenium-webdriver';
import { freePort } from '../e2e/server.mjs';

const START_MS = 20_000;

/** Command and capabilities of each browser. */
const BROWSERS = {
  chromium: {
    command: (port) => ['chromedriver', `--port=${port}`],
    wants: {
      browserName: 'chrome',
      'goog:chromeOptions': {
        binary: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
      },
    },
  },
  firefox: {
    command: (port) => ['geckodriver', '--port', String(port), '--host', '127.0.0.1'],
    wants: {
      browserName: 'firefox',
      'moz:firefoxOptions': { binary: '/usr/bin/firefox-esr', args: ['-headless'] },
    },
  },
  webkit: {
    command: (port) => ['xvfb-run', '--auto-servernum', 'WebKitWebDriver', `--port=${port}`, '--host=127.0.0.1'],
    get wants() {
      // Debian has one folder for each machine type.
      const folders = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/webkit2gtk-4.1/MiniBrowser`);
      const binary = folders.find((path) => existsSync(path));
      return { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args: ['--automation'] } };
    },
  },
};

export const NAMES = Object.keys(BROWSERS);

/** Starts a browser. Its requests to `*.test` go to the page's port. */
export async function startBrowser(name, { proxyPort } = {}) {
  const { command, wants } = BROWSERS[name];
  const port = await freePort();
  const [program, ...args] = command(port);
  // A new home folder, so that the browser uses no existing profile.
  const home = mkdtempSync(join(tmpdir(), `directput-${name}-`));
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const child = spawn(program, args, { stdio: 'ignore', detached: true, env });
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The process has ended already.
    }
  };
  process.once('exit', stop);
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  await Promise.race([isReady(port), failed]);
  const proxy = proxyPort && {
    proxy: { proxyType: 'manual', httpProxy: `127.0.0.1:${proxyPort}`, noProxy: ['127.0.0.1'] },
  };
  const driver = await new Builder()
    .usingServer(`http://127.0.0.1:${port}`)
    .withCapabilities(new Capabilities({ ...wants, ...proxy }))
    .build();
  await driver.manage().setTimeouts({ script: 60_000, pageLoad: 30_000 });
  return {
    driver,
    async close() {
      await driver.quit().catch(() => {});
      stop();
      process.off('exit', stop);
    },
  };
}

async function isReady(port) {
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(100)) {
    const reply = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
    if (reply?.ok) return;
  }
  throw new Error('the driver does not start');
}

/** Starts a proxy (RFC 9112, absolute form) that forwards every request to one port of this machine. */
export async function startProxy(port) {
  const server = createServer((asked, reply) => {
    const { pathname, search } = new URL(asked.url);
    const options = { host: '127.0.0.1', port, method: asked.method, headers: asked.headers, path: pathname + search };
    const forwarded = request(options, (answer) => {
      reply.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(reply);
    });
    forwarded.on('error', () => reply.destroy());
    asked.pipe(forwarded);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: server.address().port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
