// The list of `<direct-put>`. A long list keeps only the rows in view in the document, so thousands of rows stay cheap.
import { h } from './dom.js';
import { type Host, Row } from './row.js';
import type { Transfer } from './transfer.js';

/** With more rows than this, the list becomes a scroll container, and rows out of view are removed from the document. */
const MANY = 50;
/** Rows this far outside the view are kept, in CSS pixels, for fast scrolling and for the next press of Tab. */
const MARGIN_PX = 400;
/** Assumed height of a row before any was measured, in CSS pixels. */
const GUESS_PX = 56;

export class Rows {
  readonly element = h('ul', { part: 'uploads', id: 'uploads', role: 'list' });
  readonly #host: Host;
  #all: Transfer[] = [];
  /** All transfers in the order of their rows: failed ones first. */
  #order: Transfer[] = [];
  /** The rows in the document, in the order of the list. */
  #shown: Row[] = [];
  #guess = 0;
  #gap: number | undefined;
  #frame = 0;
  readonly #byElement = new WeakMap<Element, Transfer>();
  readonly #sizes: ResizeObserver | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.element.addEventListener('scroll', () => this.#plan());
    // At once, not in the next frame: Tab may be pressed again before that.
    this.element.addEventListener('focusin', () => this.#show());
    // Test environments such as jsdom have no layout.
    if (!globalThis.ResizeObserver) return;
    this.#sizes = new ResizeObserver((sizes) => {
      for (const { target, borderBoxSize } of sizes) {
        const transfer = this.#byElement.get(target);
        if (transfer) transfer.height = borderBoxSize[0]?.blockSize ?? 0;
        // The first measured height is the estimate for all rows that were not measured yet.
        this.#guess ||= transfer?.height ?? 0;
      }
      this.#plan();
    });
  }

  /** All transfers, in the order in which they were added. */
  get all(): readonly Transfer[] {
    return this.#all;
  }

  /** Whether rows out of view are removed from the document. */
  get isLong(): boolean {
    return this.#all.length > MANY;
  }

  add(transfers: readonly Transfer[]): void {
    this.#all = this.#all.concat(transfers);
    this.sort();
  }

  /** Shows the rows in their order, after transfers have failed or were retried. */
  sort(): void {
    if (this.isLong) this.#plan();
    else this.#show();
  }

  /** Removes rows. Moves the focus of a removed row to the next or previous row. Returns whether there is no such row. */
  remove(gone: ReadonlySet<Transfer>): boolean {
    const focused = this.#focused();
    const place = focused && gone.has(focused.transfer) ? this.#order.indexOf(focused.transfer) : -1;
    const isLeft = (transfer: Transfer): boolean => !gone.has(transfer);
    const next =
      place < 0
        ? undefined
        : (this.#order.slice(place).find(isLeft) ?? this.#order.slice(0, place).reverse().find(isLeft));
    this.#all = this.#all.filter(isLeft);
    this.#show(next);
    next?.row?.focus();
    return place >= 0 && !next;
  }

  /** Renders all rows again, after labels or details have changed. */
  render(): void {
    for (const row of this.#shown) row.render();
  }

  #focused(): Row | undefined {
    const { activeElement } = this.element.getRootNode() as ShadowRoot;
    return activeElement ? this.#shown.find(({ element }) => element.contains(activeElement)) : undefined;
  }

  /** In a long list, shows all changes once per frame. */
  #plan(): void {
    if (this.isLong) this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  /** Shows the rows in view, and the row that has or will get the focus. */
  #show(next = this.#focused()?.transfer): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { element, isLong } = this;
    if (element.toggleAttribute('data-long', isLong)) this.#gap ??= Number.parseFloat(getComputedStyle(element).rowGap);
    const gap = this.#gap || 0;
    const [top, height] = isLong ? [element.scrollTop, element.clientHeight] : [0, 0];
    const isFailed = ({ state }: Transfer): boolean => state === 'failed';
    this.#order = [...this.#all.filter(isFailed), ...this.#all.filter((transfer) => !isFailed(transfer))];
    const shown: Row[] = [];
    const spaces: number[] = [];
    let [from, space] = [0, 0];
    for (const [place, transfer] of this.#order.entries()) {
      const high = transfer.height || this.#guess || GUESS_PX;
      const isInView = from + high > top - MARGIN_PX && from < top + height + MARGIN_PX;
      from += high + gap;
      // The row with the focus stays in the document even if it is out of view.
      if (isLong && !isInView && transfer !== next) {
        space += high + gap;
        continue;
      }
      transfer.row ??= new Row(this.#host, transfer);
      transfer.row.stand(place + 1, this.#all.length);
      shown.push(transfer.row);
      spaces.push(space);
      space = 0;
    }
    this.#arrange(shown);
    for (const [index, { element: item }] of shown.entries()) {
      // A margin takes the place of the rows left out. Padding of the list would make the list itself taller.
      const margin = `${spaces[index]}px ${index === shown.length - 1 ? space : 0}px`;
      if (item.dataset.margin === margin) continue;
      item.dataset.margin = margin;
      item.style.marginBlock = margin;
    }
  }

  /** Inserts these rows into the document, and removes all others. The focus stays in a row that is moved. */
  #arrange(shown: Row[]): void {
    const root = this.element.getRootNode() as ShadowRoot;
    const focused = root.activeElement as HTMLElement | null;
    const wanted = new Set(shown);
    for (const row of this.#shown) {
      if (wanted.has(row)) continue;
      this.#sizes?.unobserve(row.element);
      row.element.remove();
      row.transfer.row = undefined;
    }
    let next = this.element.firstElementChild;
    for (const { element, transfer } of shown) {
      // `next` belongs further down. Only its row is moved, because a move repeats the animation of a row.
      if (next?.nextElementSibling === element) {
        this.element.append(next);
        next = element;
      }
      if (element === next) {
        next = next.nextElementSibling;
        continue;
      }
      this.element.insertBefore(element, next);
      this.#byElement.set(element, transfer);
      this.#sizes?.observe(element);
    }
    this.#shown = shown;
    if (focused?.isConnected && root.activeElement !== focused) focused.focus({ preventScroll: true });
  }
}
