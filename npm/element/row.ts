// A row of `<direct-put>`: shows one transfer, with its buttons.
import { h, pair, put, say } from './dom.js';
import { CROSS, DOWN, iconButton, PAUSE, PLAY, RETRY, setName, UNDO } from './icons.js';
import type { Labels } from './labels.js';
import type { Language } from './language.js';
import { named } from './name.js';
import type { Transfer } from './transfer.js';

/** The module behind the attribute `details`, loaded when it is needed. */
export type Details = typeof import('./details.js');

/** The interface of the element that a row uses. */
export interface Host {
  readonly language: Language;
  /** The module that shows details for developers; undefined without the attribute `details`. */
  readonly details: Details | undefined;
  remove(transfers: readonly Transfer[]): void;
  copied(): void;
}

/** A retry after a shorter wait, in milliseconds, is not shown: its text would only flicker. */
const SHOWN_WAIT_MS = 1_000;

export class Row {
  readonly element: HTMLLIElement;
  readonly transfer: Transfer;
  readonly #host: Host;
  readonly #facts = h('span', { part: 'facts' });
  readonly #bar: HTMLProgressElement;
  readonly #figures = ['percent', 'speed', 'left'].map((part) => h('span', { part }));
  readonly #moving = h('span', { part: 'figures' }, ...this.#figures);
  readonly #notice = h('span', { part: 'notice' });
  readonly #end = h('span', { part: 'end' });
  readonly #result = h('dl', { part: 'result' });
  readonly #more = h('div', { part: 'more' }, this.#result);
  readonly #pause: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  readonly #open: HTMLButtonElement;
  /** In the order in which they get the focus of a hidden button. */
  readonly #buttons: readonly HTMLButtonElement[];
  /** The result or error that the row shows (null for none), and the labels and details that it was rendered with. */
  #shown: unknown;
  #labels: Labels | undefined;
  #details: Details | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host, transfer: Transfer) {
    this.#host = host;
    this.transfer = transfer;
    const { name, path, file } = transfer;
    this.#bar = h('progress', { part: 'bar', max: '1', value: '0', 'aria-label': name });
    this.#pause = iconButton('pause', PAUSE, () => transfer.togglePause());
    this.#cancel = iconButton('cancel', CROSS, () => transfer.isCancelling || transfer.cancel());
    this.#retry = iconButton('retry', RETRY, () => transfer.run());
    this.#undo = iconButton('undo', UNDO, () => transfer.undo());
    this.#remove = iconButton('remove', CROSS, () => host.remove([transfer]));
    const toggle = (): void => {
      transfer.isOpen = !transfer.isOpen;
      this.render();
    };
    this.#open = iconButton('details', DOWN, toggle);
    this.#buttons = [this.#pause, this.#cancel, this.#retry, this.#undo, this.#remove, this.#open];
    const [tile, title] = named(name);
    const folder = h('span', { part: 'path' }, path.slice(0, path.lastIndexOf('/') + 1));
    const line = h('div', { part: 'line' }, this.#facts, folder, this.#moving, this.#notice, this.#end);
    this.element = h(
      'li',
      { part: 'upload' },
      tile,
      h('div', { part: 'title' }, title, line),
      // The last button in the row is at the same place in every state.
      h('div', { part: 'buttons' }, this.#open, ...this.#buttons.slice(0, -1)),
      this.#more,
      this.#bar,
    );
    const isShown = (): boolean => this.element.isConnected;
    if (file?.type.startsWith('image/')) {
      const show = (canvas: HTMLCanvasElement): void => tile.replaceChildren(canvas);
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
    const { labels } = this.#host.language;
    const { state, progress, isUnderWay, share } = transfer;
    const root = element.getRootNode() as ShadowRoot;
    const hadFocus = element.contains(root.activeElement);
    const held = progress?.held ?? '';
    Object.assign(element.dataset, { state, held, retries: transfer.retries });
    if (labels !== this.#labels) this.#translate(labels);
    this.#labels = labels;
    say(this.#facts, labels.bytes(transfer.size));
    this.#bar.hidden = !isUnderWay || !progress;
    this.#bar.value = share;
    const notice = this.#said(labels);
    say(this.#notice, notice);
    this.#moving.hidden = !isUnderWay;
    if (isUnderWay) this.#showFigures(labels, notice === '');
    this.#pause.hidden = this.#cancel.hidden = !isUnderWay;
    for (const control of [this.#pause, this.#cancel]) {
      // `aria-disabled`, because a disabled button would lose the focus.
      put(control, 'aria-disabled', transfer.isCancelling ? 'true' : null);
    }
    const isPaused = state === 'paused';
    setName(this.#pause, isPaused ? labels.resume : labels.pause, transfer.name);
    put(this.#pause.querySelector('path') as Element, 'd', isPaused ? PLAY : PAUSE);
    this.#retry.hidden = !transfer.canRetry;
    this.#undo.hidden = state !== 'cancelled' || !transfer.file;
    this.#remove.hidden = isUnderWay;
    this.#showMore(labels);
    // Hiding the focused button would lose the focus.
    if (hadFocus && !root.activeElement?.checkVisibility?.()) this.focus();
  }

  #translate(labels: Labels): void {
    // The part of each button is the name of its label.
    for (const control of this.#buttons) setName(control, labels[control.className as 'cancel'], this.transfer.name);
    // Makes `render` build the result or error again.
    this.#shown = undefined;
  }

  /** Returns a notice: why the upload waits, or what it does. */
  #said(labels: Labels): string {
    const { state, progress, retry, isCancelling, waitMs } = this.transfer;
    if (state === 'ready' || state === 'waiting' || state === 'cancelled') return labels[state];
    if (state === 'stored' || state === 'failed') return '';
    if (isCancelling || progress?.phase === 'abort') return labels.cancelling;
    if (state === 'paused') return labels.paused;
    const { held } = progress ?? {};
    if (retry && waitMs > 0 && retry.waitMs >= SHOWN_WAIT_MS && (!held || held === 'busy')) {
      // Counts the seconds down.
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.element.isConnected && this.render(), Math.min(1_000, waitMs));
      return labels.retrying({ ...retry, waitMs });
    }
    if (!held) return '';
    return { pausing: labels.pausing, paused: labels.paused, offline: labels.held, busy: labels.busy }[held];
  }

  #showFigures(labels: Labels, isMoving: boolean): void {
    const { share, progress } = this.transfer;
    const { phase, held, bytesPerSecond = 0, secondsLeft = null } = progress ?? {};
    const isSending = phase === 'upload' && bytesPerSecond > 0 && isMoving;
    // All bytes are sent; without a speed, the arrival of the last response can't be predicted.
    const isLast = share === 1 && !held && phase !== 'abort' && isMoving;
    const left = (isSending ? secondsLeft : null) ?? (isLast ? 0 : null);
    const texts = [
      progress ? labels.percent(share) : '',
      isSending ? labels.speed(bytesPerSecond) : '',
      left === null ? '' : labels.timeLeft(left),
    ];
    for (const [index, text] of texts.entries()) say(this.#figures[index] as Element, text);
  }

  /** Shows the end of the upload, and its details behind a button. */
  #showMore(labels: Labels): void {
    const { transfer } = this;
    const { details } = this.#host;
    const { error, result, isOpen, isUnderWay, state } = transfer;
    const ended = error ?? result ?? null;
    if (ended !== this.#shown || details !== this.#details) this.#showEnd(labels);
    this.#shown = ended;
    this.#details = details;
    this.#open.hidden = state !== 'failed' && !(details && (isUnderWay || state === 'stored'));
    put(this.#open, 'aria-expanded', isOpen);
    this.#more.hidden = !isOpen || this.#open.hidden;
    if (isOpen) details?.showPhases(this.#more, transfer, labels);
  }

  #showEnd(labels: Labels): void {
    const { error, state } = this.transfer;
    const { details } = this.#host;
    const facts = details?.facts(this.#host, this.transfer) ?? [];
    this.#end.replaceChildren();
    if (state === 'stored') this.#end.append(h('span', { part: 'stored' }, labels.stored));
    if (state === 'failed' && error) {
      const advice = [labels.advice(error), error.resumeId ? labels.kept : ''].filter(Boolean).join(' ');
      const words = h('span', { part: 'error-words' }, labels.error(error));
      this.#end.append(h('span', { part: 'error' }, words, ' ', h('span', { part: 'error-advice' }, advice)));
      const code = [error.code, error.requestId].filter(Boolean).join(' · ');
      facts.unshift(pair(labels.code, h('code', { part: 'error-code' }, code)));
    }
    this.#result.replaceChildren(...facts);
  }
}
