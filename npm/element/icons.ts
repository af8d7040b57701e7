// Icons of `<direct-put>`: paths of 24 by 24 units, drawn as lines.
import { button, put, say } from './dom.js';

export const FILE = 'M14 3H6v18h12V7zv4h4';
export const UPLOAD = 'M12 16V4M7 9l5-5 5 5M4 15v5h16v-5';
export const PAUSE = 'M8.5 5v14M15.5 5v14';
export const PLAY = 'M8 5l11 7-11 7z';
export const CROSS = 'M6 6l12 12M18 6L6 18';
export const RETRY = 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5';
export const UNDO = 'M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-4';
export const DOWN = 'M6 9l6 6 6-6';

const SVG = 'http://www.w3.org/2000/svg';

/** Returns an icon with a path of 24 by 24 units. Inline, because a page's policy may forbid `data:` URLs. */
export function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  put(svg, 'viewBox', '0 0 24 24');
  put(svg, 'aria-hidden', true);
  const shape = document.createElementNS(SVG, 'path');
  put(shape, 'd', path);
  svg.append(shape);
  return svg;
}

/** Returns a button that shows an icon. The style sheet hides its text, which `setName` sets. */
export function iconButton(part: string, path: string, onClick: () => unknown): HTMLButtonElement {
  const element = button(part, onClick);
  element.dataset.icon = '';
  element.prepend(icon(path));
  return element;
}

/** Sets the text of an icon button, and an accessible name that includes the name of its file. */
export function setName(control: HTMLButtonElement, text: string, file: string): void {
  const full = `${text}: ${file}`;
  if (control.getAttribute('aria-label') === full) return;
  say(control.lastChild as Node, text);
  put(control, 'aria-label', full);
  // A tooltip for the icon. It equals the name, so that screen readers do not read both.
  control.title = full;
}
