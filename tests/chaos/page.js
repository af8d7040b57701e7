// The page of the tests: an Uploader that a test controls, and the state of each upload.
import { Uploader } from '/directput/index.js';

const files = document.getElementById('files');
let uploader;

const chaos = {
  /** State of each upload, by file name. */
  uploads: {},

  open(options) {
    uploader = new Uploader(options);
  },

  /**
   * Begins or resumes the upload of the file with this name. `cancelAt` is the share of the file after which the
   * upload is cancelled, from 0 to 1.
   */
  upload(name, { resumeId, cancelAt, ...options } = {}) {
    const file = [...files.files].find((file) => file.name === name);
    const state = { progress: null, retries: 0, outcome: null };
    chaos.uploads[name] = state;
    const controller = new AbortController();
    const onProgress = (progress) => {
      state.progress = progress;
      if (cancelAt !== undefined && progress.sentBytes >= cancelAt * file.size) controller.abort();
    };
    const onRetry = () => {
      state.retries += 1;
    };
    const all = { ...options, signal: controller.signal, onProgress, onRetry };
    const upload = resumeId ? uploader.resume(resumeId, file, all) : uploader.upload(file, all);
    upload.then(
      (result) => {
        state.outcome = { isStored: true, result };
      },
      ({ message, code, retryable, status, resumeId, remains }) => {
        state.outcome = { isStored: false, error: { message, code, retryable, status, resumeId, remains } };
      },
    );
  },

  /** Returns the id of an upload of an earlier visit, by file name. */
  async resumable(name) {
    return (await uploader.listResumable()).find((kept) => kept.name === name)?.id;
  },
};

globalThis.chaos = chaos;
document.body.dataset.state = 'ready';
