// Measures the time that the function takes to start and to answer. This process replaces the Lambda runtime API
// (Lambda Developer Guide, "Using the Lambda runtime API"). The function runs on this machine's processor. In AWS, a
// function with 128 MB of memory has a fourteenth of a core.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

const TARGET = process.env.CARGO_TARGET_DIR ?? 'target';

/** Number of starts, and number of requests for each start. */
const STARTS = 9;
const REQUESTS = 20;

const body = JSON.stringify({
  name: 'a.bin',
  type: 'a/b',
  size: 1000,
  parts: [{ number: 1, length: 1000, checksum: 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' }],
});

const event = {
  version: '2.0',
  routeKey: 'POST /uploads',
  rawPath: '/uploads',
  rawQueryString: '',
  headers: { 'content-type': 'application/json', host: 'api.example.com' },
  requestContext: {
    accountId: '1',
    apiId: 'api',
    domainName: 'api.example.com',
    domainPrefix: 'api',
    http: { method: 'POST', path: '/uploads', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' },
    requestId: 'request',
    routeKey: 'POST /uploads',
    stage: '$default',
    time: '24/Nov/2026:12:00:00 +0000',
    timeEpoch: 1795521600000,
  },
  body,
  isBase64Encoded: false,
};

/** Starts the function once. Resolves to the time until it is ready and the time of each request, in milliseconds. */
async function start() {
  const took = [];
  let readyMs;
  let askedAt;
  let isOver;
  const over = new Promise((resolve) => {
    isOver = resolve;
  });
  const runtime = createServer(async (request, response) => {
    if (request.url.endsWith('/invocation/next')) {
      readyMs ??= performance.now() - startedAt;
      if (took.length === REQUESTS) return isOver();
      askedAt = performance.now();
      response.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': `request-${took.length}`,
        'lambda-runtime-deadline-ms': String(Date.now() + 30_000),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:bench',
      });
      return response.end(JSON.stringify(event));
    }
    let text = '';
    for await (const bytes of request) text += bytes;
    const { statusCode } = JSON.parse(text);
    if (statusCode !== 201) throw new Error(`the function answered ${text}`);
    took.push(performance.now() - askedAt);
    return response.writeHead(202).end('{}');
  });
  runtime.listen(0, '127.0.0.1');
  await once(runtime, 'listening');
  const startedAt = performance.now();
  const child = spawn(`${TARGET}/release/directput-api`, {
    stdio: 'ignore',
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${runtime.address().port}`,
      AWS_LAMBDA_FUNCTION_NAME: 'bench',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: 'bench',
      AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEMULATED',
      AWS_SECRET_ACCESS_KEY: 'secret',
      BUCKET: 'emulated-bucket',
      TOKEN_KEY: 'k'.repeat(32),
    },
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the function ended with ${code}`);
  });
  await Promise.race([over, died]);
  died.catch(() => {});
  child.kill();
  runtime.closeAllConnections();
  runtime.close();
  return { readyMs, firstMs: took[0], laterMs: took.slice(1) };
}

const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];

export async function lambda() {
  const starts = [];
  for (let at = 0; at < STARTS; at += 1) starts.push(await start());
  const rounded = (values) => Number(median(values).toFixed(2));
  return {
    lambda_init_ms: rounded(starts.map(({ readyMs }) => readyMs)),
    lambda_first_request_ms: rounded(starts.map(({ firstMs }) => firstMs)),
    lambda_later_request_ms: rounded(starts.flatMap(({ laterMs }) => laterMs)),
  };
}
