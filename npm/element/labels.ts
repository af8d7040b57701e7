// All texts of `<direct-put>`, which a page can replace.
import type { UploadError } from '../errors.js';
import type { Resumable, Retry } from '../types.js';

/** Rules that people are told before they choose. */
export interface Limits {
  /** As the attribute. */
  accept?: string | undefined;
  /** In bytes. */
  minBytes?: number | undefined;
  /** In bytes. */
  maxBytes?: number | undefined;
  /** How many files. */
  maxFiles?: number | undefined;
}

/** The words of `<direct-put>`; `element.labels = { choose: 'Dateien wählen' }` replaces some. */
export interface Labels {
  /** In the drop zone, before its buttons. */
  drop: string;
  /** The same where only one file is taken. */
  dropOne: string;
  /** The button that opens the dialog. */
  choose: string;
  /** The same where only one file is taken. */
  chooseOne: string;
  /** The button for folders. */
  chooseFolder: string;
  /** Above everything while there is no network. */
  offline: string;
  /** Over what earlier visits have left. */
  unfinished: string;
  /** Resumes it. */
  goOn: string;
  /** Resumes it after the file was picked. */
  goOnWithFile: string;
  /** Removes it. */
  forget: string;
  /** Pauses an upload. */
  pause: string;
  /** Lets it go on. */
  resume: string;
  /** Ends it. */
  cancel: string;
  /** Begins it again. */
  retry: string;
  /** Begins one again that was cancelled. */
  undo: string;
  /** Takes it off the list. */
  remove: string;
  /** Copies a fact. */
  copy: string;
  /** It was copied. */
  copied: string;
  /** S3 has the object. */
  stored: string;
  /** It was cancelled. */
  cancelled: string;
  /** Without `autostart`, until it is started. */
  ready: string;
  /** Until an upload has begun. */
  waiting: string;
  /** While it is to pause, and parts on their way still arrive. */
  pausing: string;
  /** While it is paused. */
  paused: string;
  /** While it is offline. */
  held: string;
  /** While the storage wants a rest. */
  busy: string;
  /** While parts are joined. */
  completing: string;
  /** While it is cancelled. */
  cancelling: string;
  /** After an error, if a later try resumes the upload. */
  kept: string;
  /** For a file without a type. */
  unknownType: string;
  /** Why a required form can not be sent. */
  missing: string;
  /** Why a form can not be sent yet. */
  underWay: string;
  /** Why a form can not be sent while files wait for the start button. */
  notStarted: string;
  /** Starts all files. */
  start: string;
  /** Tries all that have failed again. */
  retryAll: string;
  /** Cancels all that are under way. */
  cancelAll: string;
  /** Takes all that are stored or cancelled off the list. */
  clearFinished: string;
  /** The progress of all files. */
  total: string;
  /** With `details`: what is done one after the other. */
  phases: Record<'hash' | 'sign' | 'upload' | 'complete', string>;
  /** With `details`: what is known of an object. */
  facts: Record<'key' | 'checksum' | 'etag' | 'size', string>;
  /** A number of bytes. */
  bytes(bytes: number): string;
  /** A speed, from bytes a second. */
  speed(bytesPerSecond: number): string;
  /** The time left, from seconds; 0 when all has left and the last answer is waited for. */
  timeLeft(seconds: number): string;
  /** A share, from 0 to 1. */
  percent(share: number): string;
  /** What is known of an unfinished upload. */
  begun(upload: Resumable): string;
  /** What has failed and is done again. */
  retrying(retry: Retry): string;
  /** What happened, with the limit if the error has one. */
  error(error: UploadError): string;
  /** What a person can do about it. */
  advice(error: UploadError): string;
  /** Which files are taken, in the drop zone; empty if all are. */
  limits(rules: Limits): string;
  /** What is said of several files; cancelled ones are not counted. */
  summary(stored: number, failed: number, all: number): string;
  /** Said aloud, politely. */
  announce: {
    /** At each quarter of a single file. */
    progress(name: string, share: number): string;
    /** At its end. */
    stored(name: string): string;
    /** When it has failed. */
    failed(name: string, message: string): string;
  };
}
