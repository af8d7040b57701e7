// Starts directput-local on free ports; it ends with the process that started it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const BINARY = process.env.DIRECTPUT_LOCAL ?? `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/directput-local`;

/** @returns what the `ready` line says, and `stop()`. */
export async function startServer({ data, port = 0, s3Port = 0, args = [], env = {} }) {
  const listen = ['--listen', `127.0.0.1:${port}`, '--s3-listen', `127.0.0.1:${s3Port}`, '--data', data];
  const child = spawn(BINARY, [...listen, '--exit-with-stdin', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, RUST_LOG: 'info', ...env },
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
    /** Ends it as a crash would. */
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

/** A port that nobody listens on. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
