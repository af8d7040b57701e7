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

/** Returns a button with a click handler. */
export function button(part: string, onClick: () => unknown, text = ''): HTMLButtonElement {
  const element = h('button', { type: 'button', part }, text);
  element.addEventListener('click', onClick);
  return element;
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
