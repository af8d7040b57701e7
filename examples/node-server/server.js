// Serves a signing API and a page at one address.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { callerOf, welcome } from './caller.js';
import { config } from './config.js';
import { Refusal } from './problem.js';
import * as uploads from './uploads.js';

/**
 * The calls by path and method: the function, the maximum length of the body in bytes, and the status. The maximum for
 * a completion allows for 10,000 parts.
 */
const CALLS = {
  '/uploads': { POST: [uploads.create, 256 << 10, 201], DELETE: [uploads.abort, 0, 204] },
  '/uploads/parts': { POST: [uploads.sign, 256 << 10, 200], GET: [uploads.list, 0, 200] },
  '/uploads/complete': { POST: [uploads.complete, 3 << 20, 200] },
};

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const page = sirv(folder('public'));
const directput = sirv(folder('node_modules/directput'));

const server = createServer((request, response) => {
  const [path, query] = request.url.split('?');
  if (path.startsWith('/uploads'))
    return answer(request, response, path, Object.fromEntries(new URLSearchParams(query)));
  const notFound = () => response.writeHead(404).end();
  if (path.startsWith('/directput/')) {
    request.url = request.url.slice('/directput'.length);
    return directput(request, response, notFound);
  }
  welcome(request, response);
  return page(request, response, notFound);
});

/** Answers a call of the API. The log has no address, token or body, because these can hold URLs and names of files. */
async function answer(request, response, path, query) {
  const requestId = randomUUID();
  response.setHeader('x-request-id', requestId).setHeader('cache-control', 'no-store');
  let code = 'ok';
  try {
    const methods = CALLS[path];
    if (!methods) throw new Refusal('not-found');
    if (!Object.hasOwn(methods, request.method)) throw new Refusal('method-not-allowed');
    const [call, maxBytes, status] = methods[request.method];
    const caller = callerOf(request);
    if (!caller) throw new Refusal('unauthorized');
    const body = maxBytes ? await readJson(request, maxBytes) : undefined;
    const reply = await call({ caller, token: request.headers['upload-token'], body, query });
    send(response, status, 'application/json', reply);
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal('internal');
    if (refusal !== error) console.error(requestId, error);
    code = refusal.code;
    send(response, refusal.status, 'application/problem+json', refusal.toProblem(requestId));
  }
  console.info(JSON.stringify({ requestId, method: request.method, status: response.statusCode, code }));
}

function send(response, status, type, body) {
  if (body === undefined) return response.writeHead(status).end();
  return response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

async function readJson(request, maxBytes) {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') throw new Refusal('unsupported-media-type');
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Refusal('body-too-large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal('invalid-json');
  }
}

server.listen(config.port, config.host, () => console.info(`http://${config.host}:${server.address().port}`));
