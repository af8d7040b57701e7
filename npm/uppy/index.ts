// The sub-export `directput/uppy`: an uploader plugin for Uppy with verified uploads, for example for Uppy's Dashboard.
import { BasePlugin, type Body, type Meta, type PluginOpts, type Uppy, type UppyFile } from '@uppy/core';
import { type Upload, type UploadError, Uploader, type UploaderOptions, type UploadResult } from '../index.js';

/** The options of `Uploader`, and the options of every Uppy plugin. */
export type DirectPutOptions = PluginOpts & UploaderOptions;

/** The `body` of `upload-success`: the object that S3 has confirmed. */
export type DirectPutBody = Body & UploadResult;

/** A media type that the server accepts. Uppy allows any text as a file's type. Other texts are not sent. */
const MEDIA_TYPE = /^[!-~]+\/[ -~]*[!-~]$/;

/**
 * An uploader plugin for Uppy. Use `uppy.use(DirectPut, { endpoint: '/uploads' })` in place of Uppy's `AwsS3`. Files of
 * remote providers are refused.
 */
export class DirectPut<M extends Meta, B extends Body> extends BasePlugin<DirectPutOptions, M, B> {
  readonly #uploader: Uploader;
  readonly #uploads = new Map<string, Upload>();
  /** Stored uploads by the id of their file, until the file is removed from Uppy. */
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
    // The uploader is closed after the cancelled uploads have removed their parts.
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
    // Leaves out failed and uploaded files, as Uppy's own uploaders do. Uppy's helper functions for this are not
    // imported, because different versions of Uppy have them in different packages.
    const files = ids.map((id) => this.uppy.getFile(id)).filter((file) => !file.error && !file.progress.uploadComplete);
    const isKnown = ({ isRestored, progress }: UppyFile<M, B>): boolean =>
      Boolean(isRestored && progress.uploadStarted);
    const begun = files.filter((file) => !isKnown(file));
    this.uppy.emit('upload-start', begun);
    await Promise.allSettled(files.map((file) => this.#uploadFile(file)));
  };

  async #uploadFile(file: UppyFile<M, B>): Promise<void> {
    const { id, type, data, meta } = file;
    // The name from the metadata, which the user can edit in the Dashboard.
    const name = meta.name || file.name;
    if (!(data instanceof Blob)) {
      this.uppy.emit('upload-error', file, new Error('directput uploads files of this computer only'));
      return;
    }
    const upload = this.#uploader.upload(data, {
      ...(name && { name }),
      ...(MEDIA_TYPE.test(type) && { type }),
      onProgress: ({ sentBytes, size }) => {
        // Uppy replaces a file's object on each change, so this gets the current object.
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
      // A cancelled upload needs no error: Uppy removes the file.
      if ((error as UploadError).code !== 'aborted')
        this.uppy.emit('upload-error', this.uppy.getFile(id), error as Error);
    } finally {
      this.#uploads.delete(id);
    }
  }
}

export default DirectPut;
