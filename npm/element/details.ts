// What `<direct-put>` shows with the attribute `details`: phases, and what is known of an object.
import type { UploadResult } from '../types.js';
import { button, h, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Host } from './row.js';
import type { Transfer } from './transfer.js';

const PHASES = ['hash', 'sign', 'upload', 'complete'] as const;

/** How it looks. */
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

/** Shows in a list which phase an upload is in. */
export function showPhases(list: HTMLElement, { progress }: Transfer, labels: Labels): void {
  if (!list.firstChild) list.append(...PHASES.map((phase) => h('li', { 'data-phase': phase })));
  const { phase, hashedBytes = 0, size = 0 } = progress ?? {};
  const at = phase === 'done' ? PHASES.length : PHASES.indexOf(phase as (typeof PHASES)[number]);
  for (const [place, name] of PHASES.entries()) {
    const item = list.children[place] as Element;
    say(item, labels.phases[name]);
    // Later parts are hashed and signed while earlier ones are sent.
    const isHashing = place === 0 && hashedBytes < size;
    item.classList.toggle('done', at > place && !isHashing && phase !== 'abort');
    item.classList.toggle('active', at === place || (isHashing && at > place));
  }
}

/** What S3 has confirmed, with buttons that copy it. */
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
  // Among many files the key of each is of little use.
  return h('details', { part: 'result', open: isShort }, h('summary', { part: 'stored' }, labels.stored), list);
}

async function put(host: Host, text: string, copy: HTMLButtonElement): Promise<void> {
  const { labels } = host.language;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No permission, or no secure context: the text can still be selected.
    return;
  }
  copy.textContent = labels.copied;
  host.copied();
  setTimeout(() => {
    copy.textContent = labels.copy;
  }, 1_500);
}
