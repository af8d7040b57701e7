// Runs `wasm-pack test` with a local server whose CORS rule allows the test page's origin.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from './server.mjs';

const address = `127.0.0.1:${await freePort()}`;

const data = mkdtempSync(join(tmpdir(), 'directput-wasm-'));
const server = await startServer({ data, args: ['--allow-origin', `http://${address}`] });
const [command, ...args] = process.argv.slice(2);
const env = { ...process.env, DIRECTPUT_API: `${server.page}/uploads`, WASM_BINDGEN_TEST_ADDRESS: address };
const [code] = await once(spawn(command, args, { stdio: 'inherit', env }), 'exit');
await server.stop();
rmSync(data, { recursive: true, force: true });
process.exitCode = code ?? 1;
