// The sub-export `directput/uppy`: an Uppy uploader, so that Uppy's Dashboard gets verified uploads.
import { BasePlugin, type Body, type Meta, type PluginOpts, type Uppy, type UppyFile } from '@uppy/core';
import { type Upload, type UploadError, Uploader, type UploaderOptions, type UploadResult } from '../index.js';

/** The options of `Uploader`, and Uppy's own. */
export type DirectPutOptions = PluginOpts & UploaderOptions;

/** What `upload-success` has as its `body`: what S3 has confirmed. */
export type DirectPutBody = Body & UploadResult;

/** What the server takes as a media type. Uppy takes any text, and so do the pages that give it files. */
const MEDIA_TYPE = /^[!-~]+\/[ -~]*[!-~]$/;

/** `uppy.use(DirectPut, { endpoint: '/uploads' })` in place of Uppy's `AwsS3`. Files of remote providers are refused. */
export class DirectPut<M extends Meta, B extends Body> extends BasePlugin<DirectPutOptions, M, B> {
  readonly #uploader: Uploader;
  readonly #uploads = new Map<string, Upload>();
  /** Those that are stored, until their files are removed. */
  readonly #stored = new Map<string, Upload>();
  readonly #listeners: [event: string, listener: (...told: never[]) => void][] = [
    [
      'file-removed',
      ({ id }: UppyFile<M, B>) => {
        this.#uploads.get(id)?.cancel();
        const stored = this.#stored.get(id);
        if (stored) this.#uploader.release(stored);
        this.#stored.delete(id);
      },
    ],
    ['cancel-all', () => this.#each((upload) => upload.cancel())],
    ['pause-all', () => this.#each((upload) => upload.pause())],
    ['resume-all', () => this.#each((upload) => upload.resume())],
    [
      'upload-pause',
      (file: UppyFile<M, B> | undefined, isPaused: boolean) => {
        this.#uploads.get(file?.id ?? '')?.[isPaused ? 'pause' : 'resume']();
      },
    ],
  ];

  constructor(uppy: Uppy<M, B>, options: DirectPutOptions) {
    super(uppy, options);
    this.id = options.id ?? 'DirectPut';
    this.type = 'uploader';
    this.#uploader = new Uploader(options);
  }

  /** Called by Uppy. */
  override install(): void {
    this.#setCapabilities(true);
    this.uppy.addUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.on(event as never, listener as never);
  }

  /** Called by Uppy. */
  override uninstall(): void {
    this.#setCapabilities(false);
    this.uppy.removeUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.off(event as never, listener as never);
    this.#each((upload) => upload.cancel());
    // What is under way has something to remove first.
    void Promise.allSettled(this.#uploads.values()).then(() => this.#uploader.close());
  }

  #setCapabilities(resumableUploads: boolean): void {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, resumableUploads } } as never);
  }

  #each(act: (upload: Upload) => void): void {
    for (const upload of this.#uploads.values()) act(upload);
  }

  #upload = async (ids: string[]): Promise<void> => {
    // Leaves out failed and uploaded files, as Uppy's own uploaders do. Their functions for that are in another package in each
    // version of Uppy.
    const files = ids.map((id) => this.uppy.getFile(id)).filter((file) => !file.error && !file.progress.uploadComplete);
    const isKnown = ({ isRestored, progress }: UppyFile<M, B>): boolean =>
      Boolean(isRestored && progress.uploadStarted);
    const begun = files.filter((file) => !isKnown(file));
    this.uppy.emit('upload-start', begun);
    await Promise.allSettled(files.map((file) => this.#uploadFile(file)));
  };

  async #uploadFile(file: UppyFile<M, B>): Promise<void> {
    const { id, type, data, meta } = file;
    // The name that the user has given it, in the Dashboard.
    const name = meta.name || file.name;
    if (!(data instanceof Blob)) {
      this.uppy.emit('upload-error', file, new Error('directput uploads files of this computer only'));
      return;
    }
    const upload = this.#uploader.upload(data, {
      ...(name && { name }),
      ...(MEDIA_TYPE.test(type) && { type }),
      onProgress: ({ sentBytes, size }) => {
        // What the file has become in the meantime; Uppy never changes the object that it has given out.
        const current = this.uppy.getFile(id);
        if (!current) return;
        const uploadStarted = current.progress.uploadStarted ?? Date.now();
        this.uppy.emit('upload-progress', current, { uploadStarted, bytesUploaded: sentBytes, bytesTotal: size });
      },
    });
    this.#uploads.set(id, upload);
    try {
      const result = await upload;
      this.#stored.set(id, upload);
      this.uppy.emit('upload-success', this.uppy.getFile(id), { status: 200, body: { ...result } as unknown as B });
    } catch (error) {
      // Cancelling in Uppy removes the file.
      if ((error as UploadError).code !== 'aborted')
        this.uppy.emit('upload-error', this.uppy.getFile(id), error as Error);
    } finally {
      this.#uploads.delete(id);
    }
  }
}

export default DirectPut;
