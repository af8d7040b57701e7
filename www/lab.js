// The lab: switches faults of the local server on and off, and logs the events of uploads.
import './directput/element/index.js';
import { addPresets, keepLog, setFaults } from './faults.js';

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

const put = document.querySelector('direct-put');
const say = keepLog(put, document.getElementById('log'));

const rows = FAULTS.map(([words, fault]) => {
  const box = Object.assign(document.createElement('input'), { type: 'checkbox' });
  const hits = document.createElement('output');
  const label = document.createElement('label');
  label.append(box, words, hits);
  box.addEventListener('change', () => apply(`${box.checked ? 'On' : 'Off'}: ${words}.`));
  document.getElementById('faults').append(label);
  return { box, hits, fault };
});

const presets = addPresets(document.getElementById('presets'), (faults, words) => {
  if (!faults) for (const { box } of rows) box.checked = false;
  return apply(words);
});

async function apply(words) {
  const checked = rows.filter(({ box }) => box.checked).map(({ fault }) => fault);
  const reply = await setFaults([...checked, ...presets.on()]);
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

const { lab, ...config } = await (await fetch('config.json', { cache: 'no-cache' })).json();
put.options = config;
put.setAttribute('endpoint', config.endpoint);

document.getElementById('refused').hidden = lab;
document.getElementById('faults').disabled = !lab;
document.getElementById('presets').hidden = !lab;
if (lab) {
  // Switches off faults that an earlier visit left on.
  await apply('All faults are off.');
  setInterval(() => void look(), LOOK_EVERY_MS);
}
await put.refresh().catch(() => {});
document.body.dataset.state = 'ready';
