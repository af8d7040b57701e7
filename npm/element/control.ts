// `<direct-put>` as a form control: the value that the form submits, validity, and the state that the browser restores.
import type { UploadResult } from '../types.js';
import type { Labels } from './labels.js';
import type { Totals } from './totals.js';
import type { Facts, Transfer } from './transfer.js';

/** A stored file in the state that the browser keeps while the user visits another page. */
export type Kept = Facts & { result: UploadResult };

/** Sets the form value to the keys of all stored files. */
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

/** Returns the stored files from the state that the browser kept. */
export function restored(state: unknown): Kept[] {
  return typeof state === 'string' ? JSON.parse(state) : [];
}

/** Sets the validity of the element. The browser shows its message at the button with which the user can go on. */
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
