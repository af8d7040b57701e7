// The events of an `Uploader`: an `EventTarget` with types.
import type { UploadError } from '../errors.js';
import type { Progress, Retry, Upload, UploadResult } from '../types.js';

/** The upload that an event is about. */
export interface UploadDetail {
  /** The upload, as `upload` or `resume` returned it. */
  upload: Upload;
  /** The file; undefined if `resume` opens the file itself. */
  file: Blob | undefined;
}

/** Further details of events. Each event has at most one of these members. */
export interface EventDetails {
  /** Progress of the upload. */
  progress: Progress;
  /** The PUT or call of the API that failed and will be retried. */
  retry: Retry;
  /** The object that S3 has confirmed. */
  result: UploadResult;
  /** The reason why the upload failed. */
  error: UploadError;
}

/**
 * The events of an `Uploader`. A listener that calls `preventDefault()` on `failed` handles the failure: the promise
 * still rejects, but the browser reports no unhandled rejection.
 */
export interface UploaderEventMap {
  /** `upload` or `resume` was called. */
  start: CustomEvent<UploadDetail>;
  /** An upload has made progress; fires together with `onProgress`. */
  progress: CustomEvent<UploadDetail & Pick<EventDetails, 'progress'>>;
  /** A PUT or a call of the API failed and will be retried; fires together with `onRetry`. */
  retry: CustomEvent<UploadDetail & Pick<EventDetails, 'retry'>>;
  /** S3 has confirmed the object. */
  stored: CustomEvent<UploadDetail & Pick<EventDetails, 'result'>>;
  /** An upload has failed or was cancelled. The code of a cancelled upload is `aborted`. */
  failed: CustomEvent<UploadDetail & Pick<EventDetails, 'error'>>;
  /** Another tab has released an upload that `listResumable` left out. A new call may list it. */
  resumablechange: Event;
}

/** `EventTarget` with the types of these events. */
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
