// The demo page: picks a file, uploads it, and says in words what happens.
import { Uploader } from './directput/index.js';

const $ = (id) => document.getElementById(id);

/** What a person can do about an error, by its code. */
const ADVICE = {
  'type-not-allowed': 'Choose a file of another type.',
  'file-too-large': 'Choose a smaller file.',
  'file-changed': 'The file was moved or edited. Choose it again.',
  aborted: 'Nothing was kept.',
  network: 'Check your connection, then try again.',
  timeout: 'Check your connection, then try again.',
  unauthorized: 'Sign in, then try again.',
  'token-expired': 'Start the upload again.',
  'upload-gone': 'Start the upload again.',
  'too-many-requests': 'Wait a moment, then try again.',
  'storage-unavailable': 'Wait a moment, then try again.',
  integrity: 'Something on the way alters data, often a proxy. Try again, or on another network.',
  'etag-hidden': 'Whoever runs this site has to expose the ETag header in the bucket’s CORS rule.',
};

const PHASES = ['hash', 'sign', 'upload', 'complete', 'done'];
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function bytesInWords(bytes) {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

function timeInWords(seconds) {
  if (seconds < 1) return 'less than a second left';
  if (seconds < 90) return `${Math.round(seconds)} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

function show(...ids) {
  for (const id of ['upload', 'result', 'error']) $(id).hidden = !ids.includes(id);
}

const config = await (await fetch('config.json', { cache: 'no-cache' })).json();
const uploader = new Uploader({ endpoint: config.endpoint });

let file;
let controller;

function showProgress(progress) {
  const { phase, size, sentBytes, bytesPerSecond, secondsLeft } = progress;
  document.body.dataset.phase = phase;
  const at = PHASES.indexOf(phase);
  for (const item of $('phases').children) {
    const place = PHASES.indexOf(item.dataset.phase);
    // Later parts are hashed and signed while earlier ones are sent.
    const hashing = item.dataset.phase === 'hash' && progress.hashedBytes < size;
    item.classList.toggle('done', at > place && !hashing && phase !== 'abort');
    item.classList.toggle('active', at === place || (hashing && at > place));
  }
  if (phase === 'abort') $('notice').textContent = 'Cancelling: what was sent is being removed …';
  if (phase === 'complete') $('notice').textContent = 'S3 is joining the parts …';
  const share = size === 0 ? Number(phase === 'done') : sentBytes / size;
  $('bar').value = share;
  $('percent').textContent = `${Math.floor(share * 100)} %`;
  const isSending = phase === 'upload' && bytesPerSecond > 0;
  $('speed').textContent = isSending ? `${bytesInWords(bytesPerSecond)}/s` : '';
  $('left').textContent = isSending && secondsLeft !== null ? timeInWords(secondsLeft) : '';
}

function showResult(result) {
  show('upload', 'result');
  $('notice').textContent = '';
  $('key').textContent = result.key;
  $('checksum').textContent = result.checksum;
  $('etag').textContent = result.etag ?? 'not known';
  $('bytes').textContent = `${result.size.toLocaleString('en')} bytes`;
  $('result').scrollIntoView({ block: 'nearest' });
}

function showError(error) {
  show('upload', 'error');
  $('notice').textContent = '';
  $('error-words').textContent = error.message;
  $('error-advice').textContent = ADVICE[error.code] ?? 'Try again. If it happens again, tell whoever runs this site.';
  $('error-code').textContent = [error.code, error.requestId].filter(Boolean).join(' · ');
  $('error').scrollIntoView({ block: 'nearest' });
}

async function upload(chosen) {
  if (controller) return;
  file = chosen;
  controller = new AbortController();
  show('upload');
  $('name').textContent = file.name;
  $('size').textContent = `${bytesInWords(file.size)} (${file.size.toLocaleString('en')} bytes)`;
  $('type').textContent = file.type || 'unknown';
  $('network').textContent = navigator.connection?.effectiveType ?? 'unknown';
  $('notice').textContent = '';
  $('cancel').disabled = false;
  $('choose').disabled = true;
  showProgress({ phase: 'hash', size: file.size, hashedBytes: 0, sentBytes: 0, bytesPerSecond: 0, secondsLeft: null });
  try {
    const result = await uploader.upload(file, {
      signal: controller.signal,
      onProgress: showProgress,
      onRetry(retry) {
        const what = retry.part === null ? 'A call' : `Part ${retry.part}`;
        $('notice').textContent = `${what} failed (${retry.code}) and is tried again.`;
      },
    });
    showResult(result);
    document.body.dataset.state = 'stored';
  } catch (error) {
    showError(error);
    document.body.dataset.state = 'failed';
  } finally {
    controller = undefined;
    $('cancel').disabled = true;
    $('choose').disabled = false;
  }
}

$('choose').addEventListener('click', () => $('file').click());
$('file').addEventListener('change', () => {
  const [chosen] = $('file').files;
  if (chosen) upload(chosen);
  // The same file can be chosen again.
  $('file').value = '';
});
$('cancel').addEventListener('click', () => {
  $('cancel').disabled = true;
  controller?.abort();
});
$('again').addEventListener('click', () => upload(file));

const drop = $('drop');
addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) drop.classList.remove('over');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  const [dropped] = event.dataTransfer.files;
  if (dropped) upload(dropped);
});

document.body.dataset.state = 'ready';
