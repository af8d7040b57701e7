// The events of an Uploader, as an `EventTarget` with types.
import type { UploadError } from '../errors.js';
import type { Progress, Retry, Upload, UploadResult } from '../types.js';

/** Which upload an event is about. */
export interface UploadDetail {
  /** What `upload` or `resume` has returned. */
  upload: Upload;
  /** What is uploaded; undefined if `resume` opens it by itself. */
  file: Blob | undefined;
}

/** What else events say, each one of these. */
export interface EventDetails {
  /** How far the upload is. */
  progress: Progress;
  /** What is done again. */
  retry: Retry;
  /** What S3 has confirmed. */
  result: UploadResult;
  /** Why it has failed. */
  error: UploadError;
}

/**
 * The events of an `Uploader`. A listener that prevents the default of `failed` has handled the failure: the promise still
 * rejects, but the browser reports no unhandled rejection.
 */
export interface UploaderEventMap {
  /** An upload was asked for. */
  start: CustomEvent<UploadDetail>;
  /** It has moved, as `onProgress` is told. */
  progress: CustomEvent<UploadDetail & Pick<EventDetails, 'progress'>>;
  /** Something of it is done again, as `onRetry` is told. */
  retry: CustomEvent<UploadDetail & Pick<EventDetails, 'retry'>>;
  /** S3 has confirmed its object. */
  stored: CustomEvent<UploadDetail & Pick<EventDetails, 'result'>>;
  /** It has failed, or was cancelled: then the code is `aborted`. */
  failed: CustomEvent<UploadDetail & Pick<EventDetails, 'error'>>;
  /** A tab has let go of an upload that `listResumable` left out: it may say more by now. */
  resumablechange: Event;
}

/** `EventTarget`, and which events there are. */
export interface UploaderEvents extends EventTarget {
  addEventListener<K extends keyof UploaderEventMap>(
    type: K,
    listener: ((event: UploaderEventMap[K]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof UploaderEventMap>(
    type: K,
    listener: ((event: UploaderEventMap[K]) => void) | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

export const UploaderEvents = EventTarget as { new (): UploaderEvents };
