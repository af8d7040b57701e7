// Which files a page takes, decided before anything of them is sent.
import { localError } from '../errors.js';
import type { ErrorCode, FileRules, UploadOptions } from '../types.js';

/** Extensions by the first half of their media types. Systems give no type to some of them, such as HEIC on Windows. */
const EXTENSIONS = {
  image: 'avif bmp gif heic heif ico jpeg jpg jxl png svg tif tiff webp',
  audio: 'aac aiff amr flac m4a mid mp3 oga ogg opus wav weba',
  video: '3gp avi m4v mkv mov mp4 mpeg mpg ogv webm wmv',
};

/** The media type of a file that has none, by its extension, as browsers' pickers find it. */
function guess(name: string): string {
  const [, extension = ''] = /\.(\w+)$/.exec(name) ?? [];
  const found = Object.entries(EXTENSIONS).find(([, list]) => list.split(' ').includes(extension));
  return extension && `${found?.[0] ?? 'application'}/${extension.replace('jpg', 'jpeg')}`;
}

/** Whether a file is one of those that an `accept` attribute lists: extensions, media types, or `image/*` and the like. */
export function isAccepted(accept: string, name: string, type: string): boolean {
  const rules = accept
    .toLowerCase()
    .split(',')
    .map((rule) => rule.trim());
  // As with the attribute, nothing said is nothing asked.
  if (!rules.some(Boolean)) return true;
  const lowName = name.toLowerCase();
  const lowType = type ? (type.toLowerCase().split(';')[0] as string) : guess(lowName);
  return rules.some((rule) => {
    if (rule.startsWith('.')) return lowName.endsWith(rule);
    if (rule === '*/*' || rule === '*') return true;
    return rule.endsWith('/*') ? lowType.startsWith(rule.slice(0, -1)) : rule !== '' && rule === lowType;
  });
}

/** What is uploaded, and as what, if the rules let the file through. Throws `UploadError`. */
export async function admit(rules: FileRules, file: Blob, options: UploadOptions): Promise<[Blob, UploadOptions]> {
  const { accept, minBytes = 0, maxBytes = Number.POSITIVE_INFINITY, beforeUpload } = rules;
  const { name = (file as File).name ?? '', type = file.type } = options;
  if (accept !== undefined && !isAccepted(accept, name, type)) throw localError('type-not-allowed');
  let admitted: [Blob, UploadOptions] = [file, options];
  if (beforeUpload) {
    const answer = await ask(() => beforeUpload(file, { name, type }));
    if (answer === false) throw localError('not-accepted');
    if (answer instanceof Blob) {
      // The handle, if there is one, is that of the file that was replaced.
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
