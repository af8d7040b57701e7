// The overview of `<direct-put>`: a summary of all files, their total progress, and buttons that act on all rows.
import { button, h, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Totals } from './totals.js';

/** The actions of the buttons. */
export interface Acts {
  start(): void;
  retryAll(): void;
  cancelAll(): void;
  clearFinished(): void;
  /** Moves the focus to another control, after the focused button was hidden. */
  focus(): void;
}

export class Overview {
  readonly element = h('div', { part: 'overview', hidden: true });
  readonly #acts: Acts;
  readonly start: HTMLButtonElement;
  readonly #summary = h('p', { part: 'summary', id: 'summary' });
  readonly #bar = h('progress', { part: 'total-bar', max: '1', value: '0' });
  readonly #words = h('span', { part: 'total-words' });
  readonly #total = h('p', { part: 'total' }, this.#bar, this.#words);
  readonly #retryAll: HTMLButtonElement;
  readonly #cancelAll: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #buttons: HTMLElement;

  constructor(acts: Acts) {
    this.#acts = acts;
    this.start = button('start', () => acts.start());
    this.#retryAll = button('retry-all', () => acts.retryAll());
    this.#cancelAll = button('cancel-all', () => acts.cancelAll());
    this.#clear = button('clear-finished', () => acts.clearFinished());
    this.#buttons = h('div', { part: 'actions' }, this.start, this.#retryAll, this.#cancelAll, this.#clear);
    this.element.append(this.#summary, this.#total, this.#buttons);
  }

  /** Returns the text of the summary. */
  words(labels: Labels, { counts, underWay }: Totals): string {
    const { ready, stored, failed } = counts;
    return labels.summary(stored, failed, ready + underWay + stored + failed);
  }

  render(put: Element, labels: Labels, totals: Totals): void {
    const { counts, underWay } = totals;
    const { ready, stored, failed, cancelled } = counts;
    const all = ready + underWay + stored + failed;
    this.#summary.hidden = all === 0;
    say(this.#summary, this.words(labels, totals));
    this.#bar.setAttribute('aria-label', labels.total);
    const hadFocus = this.#buttons.contains((put.shadowRoot as ShadowRoot).activeElement);
    const hasActions = put.hasAttribute('actions');
    const show = (control: HTMLButtonElement, text: string, isOf: boolean): void => {
      say(control, text);
      control.hidden = !isOf;
    };
    show(this.start, labels.start, ready > 0);
    show(this.#retryAll, labels.retryAll, hasActions && failed > 0);
    show(this.#cancelAll, labels.cancelAll, hasActions && underWay > 0);
    show(this.#clear, labels.clearFinished, hasActions && stored + cancelled > 0);
    const next = [this.start, this.#retryAll, this.#cancelAll, this.#clear].find((control) => !control.hidden);
    this.#buttons.hidden = !next;
    this.element.hidden = !next && all === 0;
    // Hiding the focused button would lose the focus.
    if (hadFocus && !put.shadowRoot?.activeElement?.checkVisibility?.()) (next ?? this.#acts).focus();
    this.#progress(put, labels, totals);
  }

  #progress(put: Element, labels: Labels, { bytes, sentBytes, bytesLeft, bytesPerSecond, underWay }: Totals): void {
    const isShown = put.hasAttribute('total') && underWay > 0;
    this.#total.hidden = !isShown;
    if (!isShown) return;
    this.#bar.value = sentBytes / bytes || 0;
    // Rounding errors: a sum of many speeds may be slightly above 0 when all are 0.
    const isMoving = bytesPerSecond >= 1;
    const texts = [labels.percent(this.#bar.value)];
    if (isMoving) texts.push(labels.speed(bytesPerSecond));
    // Without a speed, the time left is known only if all bytes are sent.
    if (isMoving || sentBytes === bytes) texts.push(labels.timeLeft(isMoving ? bytesLeft / bytesPerSecond : 0));
    say(this.#words, texts.join(' · '));
  }
}
