// The icon and the name of a file, in a row of `<direct-put>`.
import { h } from './dom.js';
import { FILE, icon } from './icons.js';

/** Returns the icon and the name of a file. */
export function named(name: string): [HTMLElement, HTMLElement] {
  return [tileOf(name), nameOf(name)];
}

/** Returns a square with the file's extension, or with an icon if it has none that fits. */
function tileOf(name: string): HTMLElement {
  const [, extension] = /[^.]\.(\w{1,4})$/.exec(name) ?? [];
  return h('span', { part: 'icon', 'aria-hidden': 'true' }, extension ?? icon(FILE));
}

/** Returns a name in two halves, so that a long name loses its middle and keeps its extension. */
function nameOf(name: string): HTMLElement {
  // Splits between characters, not before a combining mark.
  const [, start = name, end = ''] = /^(.{8,}?)((?:\P{M}\p{M}*){12})$/su.exec(name) ?? [];
  return h('strong', { part: 'name', dir: 'auto', title: name }, h('span', {}, start), h('span', {}, end));
}
