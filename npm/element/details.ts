// The attribute `details` of `<direct-put>`: shows the phases of an upload and the facts about a stored object.
import { button, h, pair, say } from './dom.js';
import type { Labels } from './labels.js';
import type { Host } from './row.js';
import type { Transfer } from './transfer.js';

/** Time for which the button says that a fact was copied, in milliseconds. */
const COPIED_MS = 1_500;
const PHASES = ['hash', 'sign', 'upload', 'complete'] as const;

/** The styles of these parts. */
export const CSS = `
.note:empty { display: none; }
.phases { display: flex; flex-wrap: wrap; gap: 0.4rem; }
.phases li { border: 1px solid var(--line); border-radius: 999px; padding: 0 0.6rem; }
.phases .active { border-color: var(--accent); color: var(--accent); }
.phases .done { border-color: var(--good); color: var(--good); }
.phases .done::before { content: "✓ "; }
.copy { padding: 0 0.6rem; flex: none; }
`;

/** Shows the phases that an upload has finished, its current phase, and its last retry, at the top of a row's details. */
export function showPhases(more: HTMLElement, { progress, retry, waitMs, isUnderWay }: Transfer, labels: Labels): void {
  let [list, note] = more.querySelectorAll<HTMLElement>('.phases, .note');
  if (!list || !note) {
    list = h('ol', { part: 'phases' }, ...PHASES.map((phase) => h('li', { 'data-phase': phase })));
    note = h('p', { part: 'note' });
    more.prepend(list, note);
  }
  list.hidden = note.hidden = !isUnderWay;
  const { phase, hashedBytes = 0, size = 0 } = progress ?? {};
  say(note, retry ? labels.retried({ ...retry, waitMs }) : phase === 'complete' ? labels.completing : '');
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

/** Returns the file's media type and the facts that S3 confirmed, with buttons that copy them. */
export function facts(host: Host, { file, result }: Transfer): HTMLElement[] {
  const { language } = host;
  const { labels } = language;
  const type = pair(labels.type, h('span', { part: 'type' }, file?.type || labels.unknownType));
  if (!result) return [type];
  const fact = (part: string, label: string, text: string | null, canCopy = true): HTMLElement => {
    const copy = button('copy', () => void put(host, text ?? '', copy), labels.copy);
    copy.setAttribute('aria-label', `${labels.copy}: ${label}`);
    const code = h('code', { part }, text ?? '–');
    return pair(label, ...(canCopy && text !== null ? [code, copy] : [code]));
  };
  const { key, checksum, etag, size } = result;
  const names = labels.facts;
  const exact = new Intl.NumberFormat(language.tag, { style: 'unit', unit: 'byte', unitDisplay: 'long' });
  return [
    fact('key', names.key, key),
    fact('checksum', names.checksum, checksum),
    fact('etag', names.etag, etag),
    fact('bytes', names.size, exact.format(size), false),
    type,
  ];
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
  }, COPIED_MS);
}
