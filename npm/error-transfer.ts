// Sends errors between the page and its worker with all members. Comlink's own handler would keep only message, name
// and stack.
import { type TransferHandler, transferHandlers } from 'comlink';
import { type PlainError, plainError, toUploadError, UploadError } from './errors.js';

/** Replaces Comlink's handler for thrown values. Page and worker must both call this before the first call. */
export function keepErrors(): void {
  const before = transferHandlers.get('throw') as TransferHandler<{ value: unknown }, unknown>;
  const handler: TransferHandler<{ value: unknown }, PlainError> = {
    canHandle: before.canHandle,
    serialize: ({ value }) => [plainError(toUploadError(value)), []],
    deserialize: (plain) => {
      throw new UploadError(plain);
    },
  };
  transferHandlers.set('throw', handler);
}
