// The head of the list of `<direct-put>`: a summary of all files, their total progress, and buttons that act on all rows.
import { isOn } from './attributes.js';
import { button, h, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Totals } from './totals.js';

/** The actions of the buttons. */
export interface Acts {
  start(): void;
  pauseAll(isPaused: boolean): void;
  retryAll(): void;
  cancelAll(): void;
  clearFinished(): void;
  /** Moves the focus to another control, after the focused button was hidden. */
  focus(): void;
}

export class Overview {
  readonly element = h('div', { part: 'overview', hidden: true });
  /** Whether the total progress is shown. */
  isShown = false;
  readonly #acts: Acts;
  readonly start: HTMLButtonElement;
  readonly #summary = h('p', { part: 'summary', id: 'summary' });
  readonly #bar = h('progress', { part: 'total-bar', max: '1', value: '0' });
  readonly #words = h('span', { part: 'total-words' });
  readonly #total = h('p', { part: 'total' }, this.#bar, this.#words);
  readonly #pauseAll: HTMLButtonElement;
  readonly #retryAll: HTMLButtonElement;
  readonly #cancelAll: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #buttons: HTMLElement;
  #isPaused = false;

  constructor(acts: Acts) {
    this.#acts = acts;
    this.start = button('start', () => acts.start());
    this.#pauseAll = button('pause-all', () => acts.pauseAll(!this.#isPaused));
    this.#retryAll = button('retry-all', () => acts.retryAll());
    this.#cancelAll = button('cancel-all', () => acts.cancelAll());
    this.#clear = button('clear-finished', () => acts.clearFinished());
    const buttons = [this.start, this.#retryAll, this.#pauseAll, this.#cancelAll, this.#clear];
    this.#buttons = h('div', { part: 'actions' }, ...buttons);
    this.element.append(h('div', {}, this.#summary, this.#total), this.#buttons);
  }

  /** Returns the text of the summary. */
  words(labels: Labels, { counts, underWay }: Totals): string {
    const { ready, stored, failed } = counts;
    return labels.summary(stored, failed, ready + underWay + stored + failed);
  }

  render(put: Element, labels: Labels, totals: Totals): void {
    const { counts, underWay, all, retryable } = totals;
    const { ready, stored, failed, cancelled, paused } = counts;
    const isList = all > 1;
    const listed = ready + underWay + stored + failed;
    this.#isPaused = paused > 0 && paused === underWay;
    const during = this.#isPaused ? labels.paused : labels.uploading(stored + failed + 1, failed, listed);
    say(this.#summary, underWay > 0 ? during : this.words(labels, totals));
    this.#summary.hidden = listed === 0;
    this.#bar.setAttribute('aria-label', labels.total);
    const hadFocus = this.#buttons.contains((put.shadowRoot as ShadowRoot).activeElement);
    const hasActions = isOn(put, 'actions', isList);
    const show = (control: HTMLButtonElement, text: string, isOf: boolean): void => {
      say(control, text);
      control.hidden = !isOf;
    };
    show(this.start, labels.start, ready > 0);
    show(this.#retryAll, labels.retryAll, hasActions && retryable > 0);
    show(this.#pauseAll, this.#isPaused ? labels.resumeAll : labels.pauseAll, hasActions && underWay > 0);
    show(this.#cancelAll, labels.cancelAll, hasActions && underWay > 0);
    // By default not in a form: the form would no longer submit the keys of the removed rows.
    const canClear = isOn(put, 'actions', isList && !put.getAttribute('name'));
    show(this.#clear, labels.clearFinished, canClear && stored + cancelled > 0);
    const next = ([...this.#buttons.children] as HTMLButtonElement[]).find((control) => !control.hidden);
    this.#buttons.hidden = !next;
    this.isShown = isOn(put, 'total', isList);
    this.element.hidden = !next && !(listed > 0 && (isList || this.isShown));
    // Hiding the focused button would lose the focus.
    if (hadFocus && !put.shadowRoot?.activeElement?.checkVisibility?.()) (next ?? this.#acts).focus();
    this.#progress(labels, totals);
  }

  #progress(labels: Labels, { bytes, sentBytes, bytesLeft, bytesPerSecond, underWay }: Totals): void {
    const isShown = this.isShown && underWay > 0;
    this.#total.hidden = !isShown;
    if (!isShown) return;
    this.#bar.value = sentBytes / bytes || 0;
    // Rounding errors: a sum of many speeds may be slightly above 0 when all are 0.
    const isMoving = bytesPerSecond >= 1;
    const texts = [labels.bytesOf(sentBytes, bytes)];
    // Without a speed, the time left is known only if all bytes are sent.
    if (isMoving || sentBytes === bytes) texts.push(labels.timeLeft(isMoving ? bytesLeft / bytesPerSecond : 0));
    say(this.#words, texts.join(' · '));
  }
}
