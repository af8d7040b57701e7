// The type of all texts of `<direct-put>`. A page can replace each of them.
import type { UploadError } from '../errors.js';
import type { Resumable, Retry } from '../types.js';

/** Rules that the drop zone shows before the user chooses files. */
export interface Limits {
  /** The attribute `accept`. */
  accept?: string | undefined;
  /** In bytes. */
  minBytes?: number | undefined;
  /** In bytes. */
  maxBytes?: number | undefined;
  /** Maximum number of files. */
  maxFiles?: number | undefined;
}

/** The texts of `<direct-put>`. A page replaces some with `element.labels = { choose: 'Dateien wählen' }`. */
export interface Labels {
  /** Text of the drop zone, before its buttons. */
  drop: string;
  /** The same without `multiple`. */
  dropOne: string;
  /** Button that opens the file picker. */
  choose: string;
  /** The same without `multiple`. */
  chooseOne: string;
  /** Text of the drop zone while files are dragged over the element. */
  dropNow: string;
  /** Button that chooses a folder. */
  chooseFolder: string;
  /** Notice at the top of the element while the browser is offline. */
  offline: string;
  /** Heading of the list of unfinished uploads from earlier visits. */
  unfinished: string;
  /** Button that resumes an unfinished upload. */
  goOn: string;
  /** Button that asks for the file and then resumes an unfinished upload. */
  goOnWithFile: string;
  /** Button that removes an unfinished upload. */
  forget: string;
  /** Button that pauses an upload. */
  pause: string;
  /** Button that resumes a paused upload. */
  resume: string;
  /** Button that cancels an upload. */
  cancel: string;
  /** Button that retries a failed upload. */
  retry: string;
  /** Button that starts a cancelled upload again. */
  undo: string;
  /** Button that shows or hides the details of an upload. */
  details: string;
  /** Button that removes a row. */
  remove: string;
  /** Button that copies a fact, such as the key. */
  copy: string;
  /** Text of that button after a click. */
  copied: string;
  /** State: S3 has confirmed the object. */
  stored: string;
  /** State: the upload was cancelled. */
  cancelled: string;
  /** State: without `autostart`, the file waits for the start button. */
  ready: string;
  /** State: the upload has not started yet. */
  waiting: string;
  /** State: the upload is pausing, and parts in flight still arrive. */
  pausing: string;
  /** State: the upload is paused. */
  paused: string;
  /** State: the upload waits for the network. */
  held: string;
  /** State: S3 or the API asked to slow down, and the upload waits for an unknown time. */
  busy: string;
  /** In the details: S3 assembles the object from its parts. */
  completing: string;
  /** State: the upload is being cancelled. */
  cancelling: string;
  /** Added to an error if a retry can resume the upload. */
  kept: string;
  /** In the details: name of the media type. */
  type: string;
  /** In the details: name of the error's code. */
  code: string;
  /** In the details: media type of a file that has none. */
  unknownType: string;
  /** Validation message: the element is required and has no stored file. */
  missing: string;
  /** Validation message: uploads are under way. */
  underWay: string;
  /** Validation message: files wait for the start button. */
  notStarted: string;
  /** Button that starts all waiting files. */
  start: string;
  /** Button that pauses all uploads. */
  pauseAll: string;
  /** Button that resumes all paused uploads. */
  resumeAll: string;
  /** Button that retries all failed uploads. */
  retryAll: string;
  /** Button that cancels all uploads that are under way. */
  cancelAll: string;
  /** Button that removes stored and cancelled rows. */
  clearFinished: string;
  /** Accessible name of the total progress bar. */
  total: string;
  /** In the details: the names of the phases. */
  phases: Record<'hash' | 'sign' | 'upload' | 'complete', string>;
  /** In the details: the names of the facts about an object. */
  facts: Record<'key' | 'checksum' | 'etag' | 'size', string>;
  /** Formats a number of bytes. */
  bytes(bytes: number): string;
  /** Formats a speed in byte/s. */
  speed(bytesPerSecond: number): string;
  /** Formats the time left in seconds; 0 when all bytes are sent and the last response is outstanding. */
  timeLeft(seconds: number): string;
  /** Formats a fraction from 0 to 1 as a percentage. */
  percent(share: number): string;
  /** Describes an unfinished upload. */
  begun(upload: Resumable): string;
  /** State: something failed and is retried. `waitMs` is the time until then. */
  retrying(retry: Retry): string;
  /** In the details: what failed, with its code, and when it is retried. */
  retried(retry: Retry): string;
  /** Describes an error, with the limit if the error has one. */
  error(error: UploadError): string;
  /** Says what the user can do about an error. */
  advice(error: UploadError): string;
  /** Describes the accepted files in the drop zone; empty if there is no rule. */
  limits(rules: Limits): string;
  /** Summarizes several files after their uploads. `all` does not count cancelled files. */
  summary(stored: number, failed: number, all: number): string;
  /** Summarizes several files during their uploads. `at`: 1 for the first file, and 1 more for each that has ended. */
  uploading(at: number, failed: number, all: number): string;
  /** Formats the bytes that were sent, and those of all files. */
  bytesOf(sent: number, all: number): string;
  /** Texts for screen readers, in a polite live region. */
  announce: {
    /** At each quarter, if there is only one file. */
    progress(name: string, share: number): string;
    /** When a file is stored. */
    stored(name: string): string;
    /** When an upload has failed or was cancelled. */
    failed(name: string, message: string): string;
  };
}
