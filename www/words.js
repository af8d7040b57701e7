// Numbers and errors in words for people.

/** What a person can do about an error, by its code. */
const ADVICE = {
  'type-not-allowed': 'Choose a file of another type.',
  'file-too-large': 'Choose a smaller file.',
  'file-changed': 'The file was moved or edited. Choose it again.',
  'wrong-file': 'Choose the file that the upload began with, unchanged.',
  'file-needed': 'Choose the file again.',
  'in-use': 'Look for another tab that has this upload, or close it.',
  aborted: 'Nothing was kept.',
  network: 'Check your connection, then try again.',
  timeout: 'Check your connection, then try again.',
  unauthorized: 'Sign in, then try again.',
  'token-expired': 'Start the upload again.',
  'upload-gone': 'Start the upload again.',
  'too-many-requests': 'Wait a moment, then try again.',
  'storage-unavailable': 'Wait a moment, then try again.',
  integrity: 'Something on the way alters data, often a proxy. Try again, or on another network.',
  'etag-hidden': 'Whoever runs this site has to expose the ETag header in the bucket’s CORS rule.',
};

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytesInWords(bytes) {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

export function timeInWords(seconds) {
  if (seconds < 1) return 'less than a second left';
  if (seconds < 90) return `${Math.round(seconds)} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/** How long ago, from milliseconds. */
export function ageInWords(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 90) return `${minutes} min ago`;
  return `${Math.round(minutes / 60)} h ago`;
}

export function advice(error) {
  return ADVICE[error.code] ?? 'Try again. If it happens again, tell whoever runs this site.';
}

/** Whether the same upload of the same file may succeed now. */
export function mayHelpAgain(error) {
  return !['type-not-allowed', 'file-too-large', 'file-changed', 'wrong-file', 'file-needed'].includes(error.code);
}
