// A row of `<direct-put>`: shows one transfer, with its buttons.
import { button, h, put, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Language } from './language.js';
import type { Transfer } from './transfer.js';

/** The module behind the attribute `details`, loaded when it is needed. */
export type Details = typeof import('./details.js');

/** The interface of the element that a row uses. */
export interface Host {
  readonly language: Language;
  /** The module that shows details for developers; undefined without the attribute `details`. */
  readonly details: Details | undefined;
  /** Whether the list is short enough to show every result expanded. */
  readonly isShort: boolean;
  remove(transfers: readonly Transfer[]): void;
  copied(): void;
}

export class Row {
  readonly element: HTMLLIElement;
  readonly transfer: Transfer;
  readonly #host: Host;
  readonly #title: HTMLElement;
  readonly #facts = h('span', { part: 'facts' });
  readonly #phases = h('ol', { part: 'phases' });
  readonly #bar: HTMLProgressElement;
  readonly #figures = ['percent', 'speed', 'left'].map((part) => h('span', { part }));
  readonly #moving = h('p', { part: 'figures' }, ...this.#figures);
  readonly #notice = h('p', { part: 'notice' });
  readonly #end = h('div', { part: 'end' });
  readonly #pause: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  readonly #buttons: readonly HTMLButtonElement[];
  /** The result or error that `#end` shows, and the labels that the row was rendered with. */
  #shown: unknown;
  #labels: Labels | undefined;
  #details: Details | undefined;

  constructor(host: Host, transfer: Transfer) {
    this.#host = host;
    this.transfer = transfer;
    const { name, path, file } = transfer;
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    this.#title = h(
      'div',
      {},
      h('span', { part: 'path' }, folder),
      h('strong', { part: 'name' }, name),
      ' ',
      this.#facts,
    );
    this.#bar = h('progress', { part: 'bar', max: '1', value: '0', 'aria-label': name });
    this.#pause = button('pause', () => transfer.togglePause());
    this.#cancel = button('cancel', () => transfer.isCancelling || transfer.cancel());
    this.#retry = button('retry', () => transfer.run());
    this.#undo = button('undo', () => transfer.undo());
    this.#remove = button('remove', () => host.remove([transfer]));
    this.#buttons = [this.#pause, this.#cancel, this.#retry, this.#undo, this.#remove];
    const title = h('div', { part: 'title' }, this.#title);
    const buttons = h('div', { part: 'buttons' }, ...this.#buttons);
    this.element = h(
      'li',
      { part: 'upload' },
      title,
      this.#phases,
      this.#bar,
      this.#moving,
      this.#notice,
      this.#end,
      buttons,
    );
    const isShown = (): boolean => this.element.isConnected;
    if (file?.type.startsWith('image/')) {
      const show = (canvas: HTMLCanvasElement): void => title.prepend(canvas);
      import('./thumbnail.js').then(({ thumbnail }) => thumbnail(file, isShown, show)).catch(() => {});
    }
    this.render();
  }

  /** Sets its position in the list, from 1 on. */
  stand(place: number, all: number): void {
    const { element } = this;
    // Sets only changed values, so that the browser has nothing to update for the other rows.
    if (element.ariaPosInSet !== String(place)) element.ariaPosInSet = String(place);
    if (element.ariaSetSize !== String(all)) element.ariaSetSize = String(all);
  }

  /** Moves the focus to the first visible button. */
  focus(): void {
    this.#buttons.find((control) => !control.hidden)?.focus();
  }

  /** Shows the current state of the transfer. */
  render(): void {
    const { element, transfer } = this;
    const { details, language } = this.#host;
    const { labels } = language;
    const { state, progress, isUnderWay, share } = transfer;
    const root = element.getRootNode() as ShadowRoot;
    const hadFocus = element.contains(root.activeElement);
    const held = progress?.held ?? '';
    Object.assign(element.dataset, { state, held, retries: transfer.retries });
    if (labels !== this.#labels) this.#translate(labels);
    this.#labels = labels;
    say(this.#facts, [labels.bytes(transfer.size), transfer.file?.type || labels.unknownType].join(' · '));
    this.#phases.hidden = !isUnderWay || !details;
    details?.showPhases(this.#phases, transfer, labels);
    this.#bar.hidden = !isUnderWay && state !== 'stored';
    this.#bar.value = share;
    this.#moving.hidden = !isUnderWay;
    if (isUnderWay) this.#showFigures(labels);
    say(this.#notice, this.#said(labels));
    this.#pause.hidden = this.#cancel.hidden = !isUnderWay;
    for (const control of [this.#pause, this.#cancel]) {
      // `aria-disabled`, because a disabled button would lose the focus.
      put(control, 'aria-disabled', transfer.isCancelling ? 'true' : null);
    }
    this.#name(this.#pause, state === 'paused' ? labels.resume : labels.pause);
    this.#retry.hidden = !transfer.canRetry;
    this.#undo.hidden = state !== 'cancelled' || !transfer.file;
    this.#remove.hidden = isUnderWay;
    const ended = transfer.error ?? transfer.result;
    if (ended !== this.#shown || details !== this.#details) this.#showEnd(labels);
    this.#shown = ended;
    this.#details = details;
    // Hiding the focused button would lose the focus.
    if (hadFocus && !root.activeElement?.checkVisibility?.()) this.focus();
  }

  /** Sets a button's text, and an accessible name that includes the file's name. */
  #name(control: HTMLButtonElement, text: string): void {
    say(control, text);
    control.setAttribute('aria-label', `${text}: ${this.transfer.name}`);
  }

  #translate(labels: Labels): void {
    this.#name(this.#cancel, labels.cancel);
    this.#name(this.#retry, labels.retry);
    this.#name(this.#undo, labels.undo);
    this.#name(this.#remove, labels.remove);
    // Makes `render` build the result or error again.
    this.#shown = undefined;
  }

  /** Returns a notice: why the upload waits, or what it does. */
  #said(labels: Labels): string {
    const { state, progress, retry, isCancelling } = this.transfer;
    if (state === 'ready' || state === 'waiting' || state === 'cancelled') return labels[state];
    if (state === 'stored' || state === 'failed') return '';
    if (isCancelling || progress?.phase === 'abort') return labels.cancelling;
    if (state === 'paused') return labels.paused;
    const { held } = progress ?? {};
    if (held) return { pausing: labels.pausing, paused: labels.paused, offline: labels.held, busy: labels.busy }[held];
    if (progress?.phase === 'complete') return labels.completing;
    return retry ? labels.retrying(retry) : '';
  }

  #showFigures(labels: Labels): void {
    const { share, progress } = this.transfer;
    const { phase, held, bytesPerSecond = 0, secondsLeft = null } = progress ?? {};
    const isSending = phase === 'upload' && bytesPerSecond > 0;
    // All bytes are sent; without a speed, the arrival of the last response can't be predicted.
    const isLast = share === 1 && !held && phase !== 'abort';
    const left = (isSending ? secondsLeft : null) ?? (isLast ? 0 : null);
    const texts = [
      progress ? labels.percent(share) : '',
      isSending ? labels.speed(bytesPerSecond) : '',
      left === null ? '' : labels.timeLeft(left),
    ];
    for (const [index, text] of texts.entries()) say(this.#figures[index] as Element, text);
  }

  #showEnd(labels: Labels): void {
    const { result, error, state } = this.transfer;
    const { details } = this.#host;
    const parts: Node[] = [];
    if (state === 'stored' && result) {
      parts.push(details ? details.result(this.#host, result) : h('p', { part: 'stored' }, labels.stored));
    }
    if (state === 'failed' && error) {
      const advice = [labels.advice(error), error.resumeId ? labels.kept : ''].filter(Boolean).join(' ');
      const code = [error.code, error.requestId].filter(Boolean).join(' · ');
      const words = h('p', { part: 'error-words' }, labels.error(error));
      const shown = h('p', {}, h('code', { part: 'error-code' }, code));
      parts.push(h('div', { part: 'error' }, words, h('p', { part: 'error-advice' }, advice), shown));
    }
    this.#end.replaceChildren(...parts);
  }
}
