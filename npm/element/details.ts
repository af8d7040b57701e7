// The attribute `details` of `<direct-put>`: shows the phases of an upload and the facts about a stored object.
import type { UploadResult } from '../types.js';
import { button, h, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Host } from './row.js';
import type { Transfer } from './transfer.js';

const PHASES = ['hash', 'sign', 'upload', 'complete'] as const;

/** The styles of these parts. */
export const CSS = `
.phases li { border: 1px solid var(--line); border-radius: 999px; padding: 0.05rem 0.75rem; color: var(--faint); }
.phases .active { border-color: var(--accent); color: var(--accent); }
.phases .done { border-color: var(--good); color: var(--good); }
.phases .done::before { content: "✓ "; }
summary.stored { cursor: pointer; }
dl { display: grid; gap: 0.5rem; margin: 0.75rem 0 0; }
dl > div { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.5rem; align-items: center; }
dd { margin: 0; display: flex; justify-content: space-between; align-items: center; gap: 0.5rem; overflow-wrap: anywhere; min-width: 0; }
.copy { padding: 0.15rem 0.6rem; font-size: 0.85em; }
dt { color: var(--faint); }
@media (max-width: 30rem) {
  dl > div { grid-template-columns: 1fr; }
}
`;

/** Marks in a list the phases that an upload has finished, and the current phase. */
export function showPhases(list: HTMLElement, { progress }: Transfer, labels: Labels): void {
  if (!list.firstChild) list.append(...PHASES.map((phase) => h('li', { 'data-phase': phase })));
  const { phase, hashedBytes = 0, size = 0 } = progress ?? {};
  const at = phase === 'done' ? PHASES.length : PHASES.indexOf(phase as (typeof PHASES)[number]);
  for (const [place, name] of PHASES.entries()) {
    const item = list.children[place] as Element;
    say(item, labels.phases[name]);
    // Later parts are hashed while earlier parts are sent, so hashing is done only when all bytes are hashed.
    const isHashing = place === 0 && hashedBytes < size;
    item.classList.toggle('done', at > place && !isHashing && phase !== 'abort');
    item.classList.toggle('active', at === place || (isHashing && at > place));
  }
}

/** Returns a list of the facts that S3 confirmed, with buttons that copy them. */
export function result(host: Host, { key, checksum, etag, size }: UploadResult): HTMLElement {
  const { isShort, language } = host;
  const { labels } = language;
  const fact = (part: string, label: string, text: string | null, canCopy = true): HTMLElement => {
    const copy = button('copy', () => void put(host, text ?? '', copy), labels.copy);
    copy.setAttribute('aria-label', `${labels.copy}: ${label}`);
    const code = h('code', { part }, text ?? '–');
    const shown = canCopy && text !== null ? [code, copy] : [code];
    return h('div', {}, h('dt', {}, label), h('dd', {}, ...shown));
  };
  const { facts } = labels;
  const exact = new Intl.NumberFormat(language.tag, { style: 'unit', unit: 'byte', unitDisplay: 'long' });
  const list = h(
    'dl',
    {},
    fact('key', facts.key, key),
    fact('checksum', facts.checksum, checksum),
    fact('etag', facts.etag, etag),
    fact('bytes', facts.size, exact.format(size), false),
  );
  // With many files, the facts stay collapsed.
  return h('details', { part: 'result', open: isShort }, h('summary', { part: 'stored' }, labels.stored), list);
}

async function put(host: Host, text: string, copy: HTMLButtonElement): Promise<void> {
  const { labels } = host.language;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The page has no permission or no secure context. The user can still select the text.
    return;
  }
  copy.textContent = labels.copied;
  host.copied();
  setTimeout(() => {
    copy.textContent = labels.copy;
  }, 1_500);
}
