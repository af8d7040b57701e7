// The lab: switches faults of the local server on and off, and logs the events of uploads.
import './directput/element/index.js';

/** Faults with their labels. The README's section on the local server explains the members. */
const FAULTS = [
  ['The link is slow: 2 MB/s for each part', { on: 'put', bytesPerSecond: 2_000_000 }],
  ['Every third part is answered by 503', { on: 'put', status: 503, every: 3 }],
  ['S3 asks for a rest of two seconds, now and then', { on: 'put', status: 503, retryAfter: 2, every: 5 }],
  ['Every fourth part breaks off midway', { on: 'put', drop: 'midway', every: 4 }],
  ['Every fifth part is stored, but the answer gets lost', { on: 'put', drop: 'after', every: 5 }],
  ['Every sixth part arrives with a bit turned', { on: 'put', corrupt: true, every: 6 }],
  ['A part hangs, once', { on: 'put', stall: true, times: 1 }],
  [
    'Presigned URLs have expired: the clock of S3 is an hour ahead, three times',
    { on: 'put', clockAheadSeconds: 3600, times: 3 },
  ],
  ['The API takes two seconds for each answer', { on: 'any', latencyMs: 2_000 }],
  ['Signing fails every other time', { on: 'sign', status: 500, every: 2 }],
  ['The upload is completed, but the answer gets lost, once', { on: 'complete', drop: 'after', times: 1 }],
];
const LOOK_EVERY_MS = 500;
const LINES = 60;

const put = document.querySelector('direct-put');
const log = document.getElementById('log');

function say(words) {
  const line = document.createElement('li');
  line.textContent = `${new Date().toLocaleTimeString('en', { hour12: false })} ${words}`;
  log.prepend(line);
  while (log.childElementCount > LINES) log.lastElementChild.remove();
}

// --- faults -----------------------------------------------------------------------------------------

const rows = FAULTS.map(([words, fault]) => {
  const box = Object.assign(document.createElement('input'), { type: 'checkbox' });
  const hits = document.createElement('output');
  const label = document.createElement('label');
  label.append(box, words, hits);
  box.addEventListener('change', () => apply(`${box.checked ? 'On' : 'Off'}: ${words}.`));
  document.getElementById('faults').append(label);
  return { box, hits, fault };
});

async function apply(words) {
  const faults = rows.filter(({ box }) => box.checked).map(({ fault }) => fault);
  const reply = await fetch('-/faults', { method: 'PUT', body: JSON.stringify(faults) });
  say(reply.ok ? words : `The server refuses: ${reply.status}.`);
}

async function look() {
  const reply = await fetch('-/faults').catch(() => undefined);
  if (!reply?.ok) return;
  const faults = await reply.json();
  const on = rows.filter(({ box }) => box.checked);
  for (const row of rows) {
    const hits = faults[on.indexOf(row)]?.hits ?? 0;
    row.hits.textContent = hits > 0 ? `${hits} ×` : '';
  }
}

// --- events of uploads ------------------------------------------------------------------------------

const held = new Map();
const nameOf = ({ file }) => file?.name ?? 'The upload';

put.addEventListener('start', ({ detail }) => say(`${nameOf(detail)} begins.`));
put.addEventListener('retry', ({ detail }) => {
  const { part, code, status, failures, waitMs } = detail.retry;
  const what = part === null ? 'A call of the API' : `Part ${part}`;
  say(`${what}: ${code}${status ? ` (${status})` : ''}, failure ${failures}. Again after ${waitMs} ms.`);
});
put.addEventListener('progress', ({ detail }) => {
  const { upload, progress } = detail;
  if (held.get(upload) !== progress.held && progress.held) say(`${nameOf(detail)} is held: ${progress.held}.`);
  held.set(upload, progress.held);
});
put.addEventListener('stored', ({ detail }) => say(`${nameOf(detail)} is stored, ${detail.result.checksum}.`));
put.addEventListener('failed', ({ detail }) => say(`${nameOf(detail)} has failed: ${detail.error.code}.`));

const { lab, ...config } = await (await fetch('config.json', { cache: 'no-cache' })).json();
put.options = config;
put.setAttribute('endpoint', config.endpoint);

document.getElementById('refused').hidden = lab;
document.getElementById('faults').disabled = !lab;
if (lab) {
  // Switches off faults that an earlier visit left on.
  await apply('All faults are off.');
  setInterval(() => void look(), LOOK_EVERY_MS);
}
await put.refresh().catch(() => {});
document.body.dataset.state = 'ready';
