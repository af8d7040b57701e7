// Makes elements: no text becomes markup, so a page that enforces Trusted Types has nothing to refuse.

/** An element with attributes and children. A name that is given as `part` can be styled from outside, and found by. */
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

/** A button that does something. */
export function button(part: string, onClick: () => unknown, text = ''): HTMLButtonElement {
  const element = h('button', { type: 'button', part }, text);
  element.addEventListener('click', onClick);
  return element;
}

/** Sets an attribute, or removes it where there is no value. */
export function put(element: Element, name: string, value: unknown): void {
  if (value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}

/** Sets a text, unless it is there already: to set it again would have the browser lay out the page again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets properties again that were set before an element was defined: until then they hide what it has by those names. */
export function upgrade<T extends Element>(element: T, names: readonly (keyof T)[]): void {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
