// The page's rules for files. They are checked before the first byte is sent.
import { localError } from '../errors.js';
import type { ErrorCode, FileRules, UploadOptions } from '../types.js';

/**
 * File extensions by the first half of their media type. Some systems report no type for some of these files, for
 * example Windows for HEIC.
 */
const EXTENSIONS = {
  image: 'avif bmp gif heic heif ico jpeg jpg jxl png svg tif tiff webp',
  audio: 'aac aiff amr flac m4a mid mp3 oga ogg opus wav weba',
  video: '3gp avi m4v mkv mov mp4 mpeg mpg ogv webm wmv',
};

/**
 * Returns a media type for the extension of a lower-case file name, as browsers' file pickers do. Returns an empty text
 * if the name has no extension.
 */
function guess(name: string): string {
  const [, extension = ''] = /\.(\w+)$/.exec(name) ?? [];
  const found = Object.entries(EXTENSIONS).find(([, list]) => list.split(' ').includes(extension));
  return extension && `${found?.[0] ?? 'application'}/${extension.replace('jpg', 'jpeg')}`;
}

/**
 * Returns whether the value of an `accept` attribute allows a file. The value is a comma-separated list of extensions,
 * media types, and wildcards such as `image/*`. If `type` is empty, it is derived from the extension of `name`.
 */
export function isAccepted(accept: string, name: string, type: string): boolean {
  const rules = accept
    .toLowerCase()
    .split(',')
    .map((rule) => rule.trim());
  // Like the HTML attribute, an empty list allows all files.
  if (!rules.some(Boolean)) return true;
  const lowName = name.toLowerCase();
  const lowType = type ? (type.toLowerCase().split(';')[0] as string) : guess(lowName);
  return rules.some((rule) => {
    if (rule.startsWith('.')) return lowName.endsWith(rule);
    if (rule === '*/*' || rule === '*') return true;
    return rule.endsWith('/*') ? lowType.startsWith(rule.slice(0, -1)) : rule !== '' && rule === lowType;
  });
}

/**
 * Checks a file against the rules, and calls `beforeUpload`. Returns the Blob and the options of the upload. Throws
 * `UploadError` if a rule refuses the file.
 */
export async function admit(rules: FileRules, file: Blob, options: UploadOptions): Promise<[Blob, UploadOptions]> {
  const { accept, minBytes = 0, maxBytes = Number.POSITIVE_INFINITY, beforeUpload } = rules;
  const { name = (file as File).name ?? '', type = file.type } = options;
  if (accept !== undefined && !isAccepted(accept, name, type)) throw localError('type-not-allowed');
  let admitted: [Blob, UploadOptions] = [file, options];
  if (beforeUpload) {
    const answer = await ask(() => beforeUpload(file, { name, type }));
    if (answer === false) throw localError('not-accepted');
    if (answer instanceof Blob) {
      // Drops the handle and type, because they belong to the replaced file.
      const { handle: _, type: __, ...others } = options;
      const called = (answer as File).name ?? name;
      admitted = [answer, { ...others, ...(called && { name: called }) }];
    } else admitted[1] = { ...options, ...(answer || undefined) };
  }
  const actual = admitted[0].size;
  const refuse = (code: ErrorCode, limit: number): Error => localError(code, undefined, undefined, { limit, actual });
  if (actual > maxBytes) throw refuse('file-too-large', maxBytes);
  if (actual < minBytes) throw refuse('file-too-small', minBytes);
  return admitted;
}

async function ask<T>(hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook();
  } catch (cause) {
    throw localError('not-accepted', undefined, cause);
  }
}
