// Errors cross between the page and its worker with all their members. Comlink alone would keep the message and name.
import { type TransferHandler, transferHandlers } from 'comlink';
import { type PlainError, plainError, toUploadError, UploadError } from './errors.js';

/** Replaces Comlink's handler for what is thrown. Both sides call it before the first call. */
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
