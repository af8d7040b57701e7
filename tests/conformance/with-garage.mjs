// Runs a command with Garage, an S3 server. The command's environment holds the address, bucket and keys of Garage.
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../e2e/server.mjs';

const BUCKET = 'directput-garage';
const REGION = 'us-east-1';
const START_MS = 30_000;

const hex = (bytes) => randomBytes(bytes).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'directput-garage-'));
const [s3, rpc] = [await freePort(), await freePort()];
const config = join(folder, 'garage.toml');
for (const name of ['meta', 'data']) mkdirSync(join(folder, name));
writeFileSync(
  config,
  `metadata_dir = "${folder}/meta"
data_dir = "${folder}/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:${rpc}"
rpc_public_addr = "127.0.0.1:${rpc}"
rpc_secret = "${hex(32)}"

[s3_api]
s3_region = "${REGION}"
api_bind_addr = "127.0.0.1:${s3}"
`,
);
const env = {
  ...process.env,
  USE_S3: `http://127.0.0.1:${s3}`,
  BUCKET,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: `GK${hex(12)}`,
  AWS_SECRET_ACCESS_KEY: hex(32),
};

const logFile = join(folder, 'log');
const log = openSync(logFile, 'w');
const garage = spawn('garage', ['-c', config, 'server', '--single-node', '--default-bucket'], {
  stdio: ['ignore', log, log],
  env: {
    ...env,
    GARAGE_DEFAULT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID,
    GARAGE_DEFAULT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY,
    GARAGE_DEFAULT_BUCKET: BUCKET,
  },
});
garage.on('error', (error) => {
  console.error(`garage can't be started: ${error.message}`);
  process.exit(1);
});

/** CORS rule of the bucket for all origins, because the port of the test's page is not known yet. */
const CORS = `<CORSConfiguration><CORSRule>
  <AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>
  <ExposeHeader>etag</ExposeHeader><ExposeHeader>x-amz-checksum-sha256</ExposeHeader>
</CORSRule></CORSConfiguration>`;

async function putCors() {
  const user = `${env.AWS_ACCESS_KEY_ID}:${env.AWS_SECRET_ACCESS_KEY}`;
  const signed = ['--aws-sigv4', `aws:amz:${REGION}:s3`, '--user', user];
  const digest = ['--header', `x-amz-content-sha256: ${createHash('sha256').update(CORS).digest('hex')}`];
  const request = [...signed, ...digest, '--request', 'PUT', '--data-binary', CORS, `${env.USE_S3}/${BUCKET}?cors=`];
  for (const until = Date.now() + START_MS; ; await sleep(200)) {
    try {
      return execFileSync('curl', ['--silent', '--show-error', '--fail-with-body', ...request], { stdio: 'pipe' });
    } catch (error) {
      const isRefused = error.status === 7;
      if (!isRefused || Date.now() > until)
        throw new Error(`${error.message}\n${error.stdout}\n${readFileSync(logFile, 'utf8')}`);
    }
  }
}

try {
  await putCors();
  const [command, ...args] = process.argv.slice(2);
  const [code] = await once(spawn(command, args, { stdio: 'inherit', env }), 'exit');
  process.exitCode = code ?? 1;
} finally {
  garage.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
