// Starts directput-local on free ports. The server ends when the process that started it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';

const TARGET = process.env.CARGO_TARGET_DIR ?? 'target';
const BINARY = process.env.DIRECTPUT_LOCAL ?? `${TARGET}/debug/directput-local`;
/** Folder of the logs that `tests/logs` checks. */
const LOGS = `${TARGET}/tmp/logs`;

/** Appends lines of the API's log to a file in that folder. */
export function keepLog(lines) {
  mkdirSync(LOGS, { recursive: true });
  appendFileSync(`${LOGS}/${basename(process.argv[1])}.log`, lines.map((line) => `${line}\n`).join(''));
}

/** Starts a server. Returns the values of its `ready` line, with `stop()` and `kill()`. */
export async function startServer({ data, port = 0, s3Port = 0, args = [], env = {} }) {
  const listen = ['--listen', `127.0.0.1:${port}`, '--s3-listen', `127.0.0.1:${s3Port}`, '--data', data];
  const child = spawn(BINARY, [...listen, '--exit-with-stdin', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, RUST_LOG: 'info,s3s=off', ...env },
  });
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`directput-local ended with ${code}: ${log.join('\n')}`);
  });
  exited.catch(() => {});
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited]);
  const pairs = line
    .replace(/^ready /, '')
    .split(' ')
    .map((pair) => pair.split(/=(.*)/s).slice(0, 2));
  return {
    ...Object.fromEntries(pairs),
    data,
    log,
    /** Kills the server, as a crash would. */
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      keepLog(log);
    },
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
      keepLog(log);
    },
  };
}

/** Returns an unused port. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
