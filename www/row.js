// One upload on the page: shows how far it is and has its buttons.
import { advice, bytesInWords, mayHelpAgain, timeInWords } from './words.js';

const PHASES = ['hash', 'sign', 'upload', 'complete', 'done'];
const HELD = {
  paused: 'Paused.',
  offline: 'Offline: it goes on when the network is back.',
  busy: 'The storage asked for a rest.',
};

export class Row {
  /**
   * @param list where to put it
   * @param file its name, size and type
   * @param start begins the upload and returns it, given its options
   * @param onEnd is called when it has ended
   */
  constructor(list, { name, size, type }, start, onEnd) {
    const row = document.getElementById('upload-row').content.firstElementChild.cloneNode(true);
    this.row = row;
    this.start = start;
    this.onEnd = onEnd;
    this.$ = (name) => row.querySelector(`.${name}`);
    this.$('name').textContent = name;
    this.$('facts').textContent = [bytesInWords(size), type || 'unknown type'].join(' · ');
    this.$('pause').addEventListener('click', () => this.togglePause());
    this.$('cancel').addEventListener('click', () => this.cancel());
    this.$('retry').addEventListener('click', () => this.run());
    this.size = size;
    list.append(row);
    this.run();
  }

  get state() {
    return this.row.dataset.state;
  }

  set state(state) {
    this.row.dataset.state = state;
    const isRunning = ['waiting', 'running', 'paused'].includes(state);
    for (const part of ['phases', 'bar', 'figures', 'notice', 'buttons']) {
      this.$(part).hidden = part === 'bar' ? state === 'failed' : !isRunning;
    }
    this.$('result').hidden = state !== 'stored';
    this.$('error').hidden = state !== 'failed';
    this.$('pause').textContent = state === 'paused' ? 'Resume' : 'Pause';
  }

  async run() {
    this.state = 'waiting';
    this.$('notice').textContent = 'Waiting for its turn.';
    this.$('pause').disabled = false;
    this.$('cancel').disabled = false;
    this.upload = this.start({
      onProgress: (progress) => this.showProgress(progress),
      onRetry: (retry) => this.showRetry(retry),
    });
    try {
      this.showResult(await this.upload);
    } catch (error) {
      this.showError(error);
    } finally {
      this.onEnd();
    }
  }

  togglePause() {
    if (this.state === 'paused') {
      this.state = 'running';
      this.$('notice').textContent = '';
      this.upload.resume();
    } else {
      this.state = 'paused';
      this.$('notice').textContent = HELD.paused;
      this.upload.pause();
    }
  }

  cancel() {
    this.$('cancel').disabled = true;
    this.$('pause').disabled = true;
    this.upload.cancel();
  }

  showProgress(progress) {
    const { phase, size, sentBytes, hashedBytes, bytesPerSecond, secondsLeft, held } = progress;
    if (this.state === 'waiting') {
      this.state = 'running';
      this.$('notice').textContent = '';
    }
    this.row.dataset.phase = phase;
    this.row.dataset.held = held ?? '';
    const at = PHASES.indexOf(phase);
    for (const item of this.$('phases').children) {
      const place = PHASES.indexOf(item.dataset.phase);
      // Later parts are hashed and signed while earlier ones are sent.
      const hashing = item.dataset.phase === 'hash' && hashedBytes < size;
      item.classList.toggle('done', at > place && !hashing && phase !== 'abort');
      item.classList.toggle('active', at === place || (hashing && at > place));
    }
    if (held !== this.held) this.$('notice').textContent = HELD[held] ?? '';
    this.held = held;
    if (phase === 'abort') this.$('notice').textContent = 'Cancelling: what was sent is being removed …';
    if (phase === 'complete') this.$('notice').textContent = 'S3 is joining the parts …';
    const share = size === 0 ? Number(phase === 'done') : sentBytes / size;
    this.$('bar').value = share;
    this.$('percent').textContent = `${Math.floor(share * 100)} %`;
    const isSending = phase === 'upload' && bytesPerSecond > 0;
    this.$('speed').textContent = isSending ? `${bytesInWords(bytesPerSecond)}/s` : '';
    this.$('left').textContent = isSending && secondsLeft !== null ? timeInWords(secondsLeft) : '';
  }

  showRetry({ part, code, waitMs }) {
    const what = part === null ? 'A call' : `Part ${part}`;
    const when = waitMs < 1000 ? 'now' : `in ${Math.round(waitMs / 1000)} s`;
    this.$('notice').textContent = `${what} failed (${code}) and is tried again ${when}.`;
    this.row.dataset.retries = Number(this.row.dataset.retries ?? 0) + 1;
  }

  showResult(result) {
    this.$('key').textContent = result.key;
    this.$('checksum').textContent = result.checksum ?? 'none';
    this.$('etag').textContent = result.etag ?? 'not known';
    this.$('bytes').textContent = `${result.size.toLocaleString('en')} bytes`;
    this.$('bar').value = 1;
    // Among many files nobody reads each one's key.
    this.$('result').open = this.row.parentElement.childElementCount < 4;
    this.state = 'stored';
  }

  showError(error) {
    this.$('error-words').textContent = error.message;
    const kept = error.resumeId ? 'What was sent is kept: the upload can be gone on with.' : '';
    this.$('error-advice').textContent = [advice(error), kept].filter(Boolean).join(' ');
    this.$('retry').hidden = !mayHelpAgain(error);
    this.$('error-code').textContent = [error.code, error.requestId].filter(Boolean).join(' · ');
    this.state = 'failed';
  }
}
