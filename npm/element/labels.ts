// Every word that `<direct-put>` says, so that a page can say it in another language.
import type { UploadError } from '../errors.js';
import type { ErrorCode, Resumable, Retry } from '../types.js';

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
  /** Goes on with it. */
  goOn: string;
  /** Goes on with it after the file was picked. */
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
  /** Takes it off the list. */
  remove: string;
  /** Copies a fact. */
  copy: string;
  /** Says that it was copied. */
  copied: string;
  /** Says that S3 has the object. */
  stored: string;
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
  /** After an error, if a later try goes on. */
  kept: string;
  /** For a file without a type. */
  unknownType: string;
  /** Why a required form can not be sent. */
  missing: string;
  /** Why a form can not be sent yet. */
  underWay: string;
  /** With `details`: what is done one after the other. */
  phases: Record<'hash' | 'sign' | 'upload' | 'complete', string>;
  /** With `details`: what is known of an object. */
  facts: Record<'key' | 'checksum' | 'etag' | 'size', string>;
  /** A number of bytes. */
  bytes(bytes: number): string;
  /** The time left, from seconds. */
  timeLeft(seconds: number): string;
  /** A share, from 0 to 1. */
  percent(share: number): string;
  /** What is known of an unfinished upload. */
  begun(upload: Resumable): string;
  /** What has failed and is done again. */
  retrying(retry: Retry): string;
  /** What a person can do about it. */
  advice(error: UploadError): string;
  /** What is said of several files. */
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

const ADVICE: { readonly [code in ErrorCode]?: string } = {
  'type-not-allowed': 'Choose a file of another type.',
  'file-too-large': 'Choose a smaller file.',
  'file-too-small': 'Choose a larger file.',
  'too-many-files': 'Remove another file first.',
  'not-accepted': 'Choose another file.',
  'file-changed': 'The file was moved or edited. Choose it again.',
  'wrong-file': 'Choose the file that the upload began with, unchanged.',
  'file-needed': 'Choose the file again.',
  'in-use': 'Look for another tab that has this upload, or close it.',
  aborted: 'Nothing was kept.',
  network: 'Check your connection, then try again.',
  timeout: 'Check your connection, then try again.',
  'unexpected-answer': 'Check your connection, then try again.',
  unauthorized: 'Sign in, then try again.',
  'headers-timeout': 'Sign in, then try again.',
  'read-timeout': 'Choose the file again.',
  'worker-lost': 'Try again.',
  'token-expired': 'Start the upload again.',
  'upload-gone': 'Start the upload again.',
  'too-many-requests': 'Wait a moment, then try again.',
  'storage-unavailable': 'Wait a moment, then try again.',
  integrity: 'Something on the way alters data, often a proxy. Try again, or on another network.',
  'etag-hidden': 'Whoever runs this site has to expose the ETag header in the bucket’s CORS rule.',
};

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function bytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

function timeLeft(seconds: number): string {
  if (seconds < 1) return 'less than a second left';
  if (seconds < 90) return `${Math.round(seconds)} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/** How long ago, from milliseconds. */
function age(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 90) return `${minutes} min ago`;
  return `${Math.round(minutes / 60)} h ago`;
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

/** What it says unless it is told otherwise. */
export const ENGLISH: Labels = {
  drop: 'Drop files or a folder here, or',
  dropOne: 'Drop a file here, or',
  choose: 'Choose files',
  chooseOne: 'Choose a file',
  chooseFolder: 'Choose a folder',
  offline: 'You are offline. Uploads go on when the network is back.',
  unfinished: 'Unfinished uploads',
  goOn: 'Resume',
  goOnWithFile: 'Choose the file and resume',
  forget: 'Forget',
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  retry: 'Try again',
  remove: 'Remove',
  copy: 'Copy',
  copied: 'Copied',
  stored: 'Stored',
  waiting: 'Waiting for its turn.',
  pausing: 'Pausing…',
  paused: 'Paused.',
  held: 'Offline: it goes on when the network is back.',
  busy: 'The storage asked for a rest.',
  completing: 'S3 is joining the parts …',
  cancelling: 'Cancelling: what was sent is being removed …',
  kept: 'What was sent is kept: the upload can be gone on with.',
  unknownType: 'unknown type',
  missing: 'Please choose a file.',
  underWay: 'Please wait until all files are stored.',
  phases: { hash: 'Hash', sign: 'Sign', upload: 'Upload', complete: 'Complete' },
  facts: { key: 'Key', checksum: 'Checksum', etag: 'ETag', size: 'Bytes' },
  bytes,
  timeLeft,
  percent,
  begun: ({ size, confirmedBytes, startedAt }) =>
    `${bytes(size)} · ${percent(confirmedBytes / size)} stored · begun ${age(Date.now() - startedAt)}`,
  retrying({ part, code, waitMs }) {
    const what = part === null ? 'A call' : `Part ${part}`;
    const when = waitMs < 1000 ? 'now' : `in ${Math.round(waitMs / 1000)} s`;
    return `${what} failed (${code}) and is tried again ${when}.`;
  },
  advice: ({ code }) => ADVICE[code] ?? 'Try again. If it happens again, tell whoever runs this site.',
  summary: (stored, failed, all) =>
    `${stored} of ${all} ${all === 1 ? 'file' : 'files'} stored${failed > 0 ? `, ${failed} failed` : ''}.`,
  announce: {
    progress: (name, share) => `${name}: ${percent(share)}`,
    stored: (name) => `${name} is stored.`,
    failed: (name, message) => `${name}: ${message}`,
  },
};
