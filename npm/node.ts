// What a server gets that renders a page with an Uploader in it: the same names, and no upload.

import { localError } from './errors.js';
import { UploaderEvents } from './events.js';
import type { Assets, Uploader as InBrowser, Resumable, Upload, UploaderOptions } from './index.js';
import { Latest } from './latest.js';

export type { Assets } from './assets.js';
export { UploadError } from './errors.js';
export type { EventDetails, UploadDetail, UploaderEventMap } from './events.js';
export { isAccepted } from './rules.js';
export type * from './types.js';

/** Nothing to load here. */
export function init(_: Assets): void {}

/** Can be made, and uploads nothing. */
export class Uploader extends UploaderEvents implements Pick<InBrowser, keyof InBrowser> {
  constructor(_: UploaderOptions) {
    super();
  }

  upload(): Upload {
    const refused = Promise.reject(localError('internal', 'directput uploads from browsers, and here there is none.'));
    const nothing = (): void => {};
    const iterable = { [Symbol.asyncIterator]: () => new Latest().until(refused) };
    const controls = { pause: nothing, resume: nothing, cancel: nothing, prioritize: nothing };
    return Object.assign(refused, controls, iterable);
  }

  resume(): Upload {
    return this.upload();
  }

  release(): void {}

  async listResumable(): Promise<Resumable[]> {
    return [];
  }

  async forget(): Promise<void> {}

  async runsInWorker(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}
