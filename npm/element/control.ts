// What `<direct-put>` is to its form: keys under its name, a reason not to be sent yet, and a state that is restored.
import type { UploadResult } from '../types.js';
import type { Labels } from './labels.js';
import type { Totals } from './totals.js';
import type { Facts, Transfer } from './transfer.js';

/** A stored file, as the browser keeps it while another page is shown. */
export type Kept = Facts & { result: UploadResult };

/** Has the form send what is stored. */
export function fill(internals: ElementInternals, name: string, transfers: readonly Transfer[]): void {
  const data = new FormData();
  const kept: Kept[] = [];
  for (const { name: file, size, path, result, state } of transfers) {
    if (state !== 'stored' || !result) continue;
    data.append(name, result.key);
    kept.push({ name: file, size, path, result });
  }
  const isEmpty = kept.length === 0;
  internals.setFormValue(name && !isEmpty ? data : null, isEmpty ? null : JSON.stringify(kept));
}

/** What the browser has kept. */
export function restored(state: unknown): Kept[] {
  return typeof state === 'string' ? JSON.parse(state) : [];
}

/** Shows why the form can't be sent, if it can't, at the button that changes that. */
export function validate(
  internals: ElementInternals,
  { underWay, counts }: Totals,
  labels: Labels,
  isRequired: boolean,
  [choose, start]: readonly [HTMLElement, HTMLElement],
): void {
  if (underWay > 0) internals.setValidity({ customError: true }, labels.underWay, choose);
  else if (counts.ready > 0) internals.setValidity({ customError: true }, labels.notStarted, start);
  else if (isRequired && counts.stored === 0) internals.setValidity({ valueMissing: true }, labels.missing, choose);
  else internals.setValidity({});
}
