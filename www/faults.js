// Faults of the local server that the demo page and the lab switch: presets, and a log of the events of uploads.

/** Time for which the train is in its tunnel, in milliseconds. */
const TUNNEL_MS = 8_000;
const LINES = 60;

/** The presets: their names, what they do, their faults, and their end in milliseconds if they end by themselves. */
const PRESETS = [
  ['Slow link', '4 MB/s for each part', [{ on: 'put', bytesPerSecond: 4_000_000 }]],
  ['Train tunnel', 'nothing gets through for 8 seconds', [{ on: 'any', drop: 'before' }], TUNNEL_MS],
  [
    'S3 throttling',
    'every sixth part gets 503 with Retry-After',
    [{ on: 'put', status: 503, retryAfter: 4, every: 6 }],
  ],
  ['Flipped bits', 'every fourth part arrives with a bit turned', [{ on: 'put', corrupt: true, every: 4 }]],
];

/** Replaces the faults of the server. */
export function setFaults(faults, options) {
  return fetch('-/faults', { method: 'PUT', body: JSON.stringify(faults), ...options });
}

/**
 * Adds a button for each preset, and one that resets all faults. `changed` gets the faults of the presets that are on, or
 * undefined after a reset, and words for the log.
 */
export function addPresets(place, changed) {
  const presets = PRESETS.map(([name, what, faults, ms]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(Object.assign(document.createElement('strong'), { textContent: name }), what);
    const preset = { button, faults };
    const turn = (isOn) => {
      clearTimeout(preset.timer);
      button.setAttribute('aria-pressed', String(isOn));
      if (isOn && ms) preset.timer = setTimeout(() => preset.press(false), ms);
    };
    preset.turn = turn;
    preset.press = (isOn) => {
      turn(isOn);
      changed(on(), `${isOn ? 'On' : 'Off'}: ${name}.`);
    };
    turn(false);
    button.addEventListener('click', () => preset.press(button.getAttribute('aria-pressed') === 'false'));
    return preset;
  });
  const on = () =>
    presets.flatMap(({ button, faults }) => (button.getAttribute('aria-pressed') === 'true' ? faults : []));
  const reset = Object.assign(document.createElement('button'), { type: 'button', id: 'reset', textContent: 'Reset' });
  reset.addEventListener('click', () => {
    for (const { turn } of presets) turn(false);
    changed(undefined, 'All faults are off.');
  });
  place.append(...presets.map(({ button }) => button), reset);
  return { on };
}

/** Writes what uploads of an element do into a list, latest first. Returns a function that writes another line. */
export function keepLog(put, log) {
  const say = (words) => {
    const line = document.createElement('li');
    line.textContent = `${new Date().toLocaleTimeString('en', { hour12: false })} ${words}`;
    log.prepend(line);
    while (log.childElementCount > LINES) log.lastElementChild.remove();
  };
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
  return say;
}
