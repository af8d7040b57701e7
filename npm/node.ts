// What a server gets that renders a page with an Uploader in it: the same names, and no upload.

import { localError } from './errors.js';
import type { Assets, Uploader as InBrowser, Resumable, Upload, UploaderOptions } from './index.js';

export type { Assets } from './assets.js';
export { UploadError } from './errors.js';
export type * from './types.js';

/** Nothing to load here. */
export function init(_: Assets): void {}

/** Can be made, and uploads nothing. */
export class Uploader implements Pick<InBrowser, 'upload' | 'resume' | 'listResumable' | 'forget' | 'close'> {
  // biome-ignore lint/complexity/noUselessConstructor: it says what callers give.
  constructor(_: UploaderOptions) {}

  upload(): Upload {
    const refused = Promise.reject(localError('internal', 'directput uploads from browsers, and here there is none.'));
    const nothing = (): void => {};
    return Object.assign(refused, { pause: nothing, resume: nothing, cancel: nothing, prioritize: nothing });
  }

  resume(): Upload {
    return this.upload();
  }

  async listResumable(): Promise<Resumable[]> {
    return [];
  }

  async forget(): Promise<void> {}

  async runsInWorker(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}
