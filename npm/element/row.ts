// One upload in `<direct-put>`: how far it is, what can be done about it, and how it ended.
import type { UploadError } from '../errors.js';
import type { ErrorCode, Progress, Retry, Upload, UploadOptions, UploadResult } from '../types.js';
import { button, h } from './dom.js';
import type { Labels } from './labels.js';
import { thumbnail } from './thumbnail.js';

const PHASES = ['hash', 'sign', 'upload', 'complete'] as const;

/** Where the same upload of the same file would fail again. */
const HOPELESS: readonly ErrorCode[] = [
  'type-not-allowed',
  'file-too-large',
  'file-too-small',
  'not-accepted',
  'file-changed',
  'wrong-file',
  'file-needed',
];

export type State = 'waiting' | 'running' | 'paused' | 'stored' | 'failed';

/** What a row wants of the element that it is in. */
export interface Host {
  readonly labels: Labels;
  /** Whether it shows what only developers want to know. */
  readonly hasDetails: boolean;
  started(row: Row): void;
  changed(row: Row): void;
  moved(row: Row): void;
  removed(row: Row): void;
  copied(): void;
}

/** What is known of a file before it is opened. */
export interface Facts {
  name: string;
  size: number;
  file?: Blob | undefined;
}

export class Row {
  readonly element: HTMLLIElement;
  readonly name: string;
  readonly file: Blob | undefined;
  result: UploadResult | undefined;
  error: UploadError | undefined;
  /** From 0 to 1. */
  share = 0;
  upload: Upload | undefined;
  readonly #host: Host;
  readonly #begin: (options: UploadOptions) => Upload;
  readonly #title: HTMLElement;
  readonly #phases: HTMLElement;
  readonly #bar: HTMLProgressElement;
  readonly #figures = ['percent', 'speed', 'left'].map((part) => h('span', { part }));
  readonly #notice = h('p', { part: 'notice' });
  readonly #pause: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  readonly #end = h('div', { part: 'end' });
  #held: Progress['held'] = null;

  constructor(host: Host, { name, size, file }: Facts, begin: (options: UploadOptions) => Upload) {
    this.#host = host;
    this.#begin = begin;
    this.name = name;
    this.file = file;
    const { labels } = host;
    const facts = [labels.bytes(size), file?.type || labels.unknownType].join(' · ');
    this.#title = h(
      'div',
      { part: 'title' },
      h('div', {}, h('strong', { part: 'name' }, name), ' ', h('span', { part: 'facts' }, facts)),
    );
    this.#phases = h(
      'ol',
      { part: 'phases' },
      ...PHASES.map((phase) => h('li', { 'data-phase': phase }, labels.phases[phase])),
    );
    this.#bar = h('progress', { part: 'bar', max: '1', value: '0', 'aria-label': name });
    // Of several rows a screen reader says which one a button is for.
    const act = (part: string, text: string, onClick: () => unknown): HTMLButtonElement => {
      const element = button(part, text, onClick);
      element.setAttribute('aria-label', `${text}: ${name}`);
      return element;
    };
    this.#pause = act('pause', labels.pause, () => this.#togglePause());
    this.#cancel = act('cancel', labels.cancel, () => this.cancel());
    this.#retry = act('retry', labels.retry, () => this.run());
    this.#remove = act('remove', labels.remove, () => host.removed(this));
    const buttons = h('div', { part: 'buttons' }, this.#pause, this.#cancel, this.#retry, this.#remove);
    const figures = h('p', { part: 'figures' }, ...this.#figures);
    this.element = h(
      'li',
      { part: 'upload' },
      this.#title,
      this.#phases,
      this.#bar,
      figures,
      this.#notice,
      this.#end,
      buttons,
    );
    if (file) thumbnail(file, (canvas) => this.#showThumbnail(canvas));
  }

  get state(): State {
    return this.element.dataset.state as State;
  }

  get isRunning(): boolean {
    return ['waiting', 'running', 'paused'].includes(this.state);
  }

  /** Begins, or begins again. */
  run(): void {
    this.error = undefined;
    this.share = 0;
    this.#held = null;
    delete this.element.dataset.said;
    this.#bar.value = 0;
    this.#end.replaceChildren();
    this.#set('waiting', this.#host.labels.waiting);
    for (const control of [this.#pause, this.#cancel]) control.removeAttribute('aria-disabled');
    try {
      const upload = this.#begin({
        onProgress: (progress) => this.#showProgress(progress),
        onRetry: (retry) => this.#showRetry(retry),
      });
      this.upload = upload;
      this.#host.started(this);
      void this.#follow(upload);
    } catch (error) {
      // An uploader that can't be made, for want of an endpoint or so.
      this.#showError(error as UploadError);
    }
    this.#host.changed(this);
  }

  async #follow(upload: Upload): Promise<void> {
    try {
      this.#showResult(await upload);
    } catch (error) {
      this.#showError(error as UploadError);
    }
    this.#host.changed(this);
  }

  cancel(): void {
    // Not disabled, which would take the focus away.
    for (const control of [this.#pause, this.#cancel]) control.setAttribute('aria-disabled', 'true');
    this.upload?.cancel();
  }

  /** Where the focus goes when something before it has gone. */
  focus(): void {
    [this.#pause, this.#cancel, this.#retry, this.#remove].find((control) => !control.hidden)?.focus();
  }

  #set(state: State, notice = ''): void {
    const { element } = this;
    const hadFocus = element.contains((element.getRootNode() as ShadowRoot).activeElement);
    element.dataset.state = state;
    const { isRunning } = this;
    this.#phases.hidden = !isRunning || !this.#host.hasDetails;
    this.#bar.hidden = state === 'failed';
    (this.#figures[0] as HTMLElement).parentElement?.toggleAttribute('hidden', !isRunning);
    this.#notice.textContent = notice;
    this.#pause.hidden = this.#cancel.hidden = !isRunning;
    this.#retry.hidden = state !== 'failed' || HOPELESS.includes(this.error?.code as ErrorCode);
    this.#remove.hidden = isRunning;
    const { labels } = this.#host;
    const text = state === 'paused' ? labels.resume : labels.pause;
    this.#pause.textContent = text;
    this.#pause.setAttribute('aria-label', `${text}: ${this.name}`);
    // A button that goes takes the focus with it.
    if (hadFocus && !(element.getRootNode() as ShadowRoot).activeElement?.checkVisibility?.()) this.focus();
  }

  #togglePause(): void {
    if (this.#pause.hasAttribute('aria-disabled')) return;
    if (this.state === 'paused') {
      this.#set('running');
      this.upload?.resume();
    } else {
      this.#set('paused', this.#host.labels.paused);
      this.upload?.pause();
    }
  }

  #showThumbnail(canvas: HTMLCanvasElement): void {
    canvas.className = 'thumbnail';
    canvas.setAttribute('part', 'thumbnail');
    canvas.setAttribute('aria-hidden', 'true');
    this.#title.prepend(canvas);
  }

  #showProgress({ phase, size, sentBytes, hashedBytes, bytesPerSecond, secondsLeft, held }: Progress): void {
    const { labels } = this.#host;
    if (this.state === 'waiting') this.#set('running');
    Object.assign(this.element.dataset, { phase, held: held ?? '' });
    const at = phase === 'done' ? PHASES.length : PHASES.indexOf(phase as (typeof PHASES)[number]);
    for (const [place, item] of [...this.#phases.children].entries()) {
      // Later parts are hashed and signed while earlier ones are sent.
      const isHashing = place === 0 && hashedBytes < size;
      item.classList.toggle('done', at > place && !isHashing && phase !== 'abort');
      item.classList.toggle('active', at === place || (isHashing && at > place));
    }
    if (held !== this.#held) {
      this.#notice.textContent = held
        ? { pausing: labels.pausing, paused: labels.paused, offline: labels.held, busy: labels.busy }[held]
        : '';
    }
    this.#held = held;
    if (phase === 'abort') this.#notice.textContent = labels.cancelling;
    if (phase === 'complete') this.#notice.textContent = labels.completing;
    this.share = size === 0 ? Number(phase === 'done') : sentBytes / size;
    this.#bar.value = this.share;
    const isSending = phase === 'upload' && bytesPerSecond > 0;
    const texts = [
      labels.percent(this.share),
      isSending ? `${labels.bytes(bytesPerSecond)}/s` : '',
      isSending && secondsLeft !== null ? labels.timeLeft(secondsLeft) : '',
    ];
    for (const [index, text] of texts.entries()) (this.#figures[index] as HTMLElement).textContent = text;
    this.#host.moved(this);
  }

  #showRetry(retry: Retry): void {
    // Why nothing moves is the better news.
    if (!this.#held) this.#notice.textContent = this.#host.labels.retrying(retry);
    this.element.dataset.retries = String(Number(this.element.dataset.retries ?? 0) + 1);
  }

  #showResult(result: UploadResult): void {
    this.result = result;
    this.share = 1;
    this.#bar.value = 1;
    this.#set('stored');
    const { labels, hasDetails } = this.#host;
    if (!hasDetails) {
      this.#end.append(h('p', { part: 'stored' }, labels.stored));
      return;
    }
    const fact = (part: string, label: string, text: string, canCopy: boolean): HTMLElement => {
      const code = h('code', { part }, text);
      const copy = button('copy', labels.copy, () => void this.#copy(text, copy));
      copy.setAttribute('aria-label', `${labels.copy}: ${label}`);
      return h('div', {}, h('dt', {}, label), h('dd', {}, code), ...(canCopy ? [copy] : []));
    };
    const facts = h(
      'dl',
      {},
      fact('key', labels.facts.key, result.key, true),
      fact('checksum', labels.facts.checksum, result.checksum ?? '–', result.checksum !== null),
      fact('etag', labels.facts.etag, result.etag ?? '–', result.etag !== null),
      fact('bytes', labels.facts.size, `${result.size.toLocaleString('en')} bytes`, false),
    );
    // Among many files nobody reads each one's key.
    const isOpen = (this.element.parentElement?.childElementCount ?? 0) < 4;
    this.#end.append(
      h('details', { part: 'result', open: isOpen }, h('summary', { part: 'stored' }, labels.stored), facts),
    );
  }

  async #copy(text: string, copy: HTMLButtonElement): Promise<void> {
    const { labels } = this.#host;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // No permission, or no secure context: the text can still be selected.
      return;
    }
    copy.textContent = labels.copied;
    this.#host.copied();
    setTimeout(() => {
      copy.textContent = labels.copy;
    }, 1_500);
  }

  #showError(error: UploadError): void {
    this.error = error;
    this.#set('failed');
    const { labels } = this.#host;
    const advice = [labels.advice(error), error.resumeId ? labels.kept : ''].filter(Boolean).join(' ');
    const code = [error.code, error.requestId].filter(Boolean).join(' · ');
    this.#end.append(
      h(
        'div',
        { part: 'error' },
        h('p', { part: 'error-words' }, error.message),
        h('p', { part: 'error-advice' }, advice),
        h('p', {}, h('code', { part: 'error-code' }, code)),
      ),
    );
  }
}
