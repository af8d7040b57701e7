// Makes elements. Text never becomes markup, so this works in pages that enforce Trusted Types.

/** Returns an element with attributes and children. The attribute `part` becomes its class name, too. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  const { part } = attributes;
  if (typeof part === 'string') element.className = part;
  element.append(...children);
  return element;
}

/** Returns a button with a click handler. With the path of an icon, the style sheet hides the button's text. */
export function button(part: string, onClick: () => unknown, text = '', path = ''): HTMLButtonElement {
  const element = h('button', { type: 'button', part, 'data-icon': Boolean(path) }, text);
  if (path) element.prepend(icon(path));
  element.addEventListener('click', onClick);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Returns an icon with a path of 24 by 24 units. Inline, because a page's policy may forbid `data:` URLs. */
export function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  put(svg, 'viewBox', '0 0 24 24');
  put(svg, 'aria-hidden', true);
  svg.append(document.createElementNS(SVG, 'path'));
  draw(svg, path);
  return svg;
}

/** Replaces the path of the icon in an element. */
export function draw(element: Element, path: string): void {
  const shape = element.querySelector('path') as Element;
  if (shape.getAttribute('d') !== path) put(shape, 'd', path);
}

/** Sets the text of a button, and an accessible name that includes the name of its file. */
export function setName(control: HTMLButtonElement, text: string, file: string): void {
  const full = `${text}: ${file}`;
  if (control.getAttribute('aria-label') === full) return;
  say(control.lastChild as Node, text);
  put(control, 'aria-label', full);
  // A tooltip for the icon. It equals the name, so that screen readers do not read both.
  if (control.firstElementChild) control.title = full;
}

/** Returns a term and its description, for a `<dl>`. */
export function pair(term: string, ...shown: Node[]): HTMLElement {
  return h('div', {}, h('dt', {}, term), h('dd', {}, ...shown));
}

/** Sets an attribute, or removes it if the value is null or undefined. */
export function put(element: Element, name: string, value: unknown): void {
  if (value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}

/** Sets the text of a node if it differs: setting the same text would cost another layout. */
export function say(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets properties again: a property set before the element is upgraded shadows its accessor. */
export function upgrade<T extends Element>(element: T, names: readonly (keyof T)[]): void {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
