// Which files a page takes, decided before anything of them is sent.
import { localError } from './errors.js';
import type { FileRules, UploadOptions } from './types.js';

/** Whether a file is one of those that an `accept` attribute lists: extensions, media types, or `image/*` and the like. */
export function isAccepted(accept: string, name: string, type: string): boolean {
  const rules = accept
    .toLowerCase()
    .split(',')
    .map((rule) => rule.trim());
  // As with the attribute, nothing said is nothing asked.
  if (!rules.some(Boolean)) return true;
  const [lowName, lowType] = [name.toLowerCase(), type.toLowerCase().split(';')[0] as string];
  return rules.some((rule) => {
    if (rule.startsWith('.')) return lowName.endsWith(rule);
    if (rule === '*/*' || rule === '*') return true;
    return rule.endsWith('/*') ? lowType.startsWith(rule.slice(0, -1)) : rule !== '' && rule === lowType;
  });
}

/** The options of a file that the rules let through, with the name that the page has for it. Throws `UploadError`. */
export async function admit(rules: FileRules, file: Blob, options: UploadOptions): Promise<UploadOptions> {
  const { accept, minBytes = 0, maxBytes = Number.POSITIVE_INFINITY, beforeUpload } = rules;
  const { name = (file as File).name ?? '', type = file.type } = options;
  if (accept !== undefined && !isAccepted(accept, name, type)) throw localError('type-not-allowed');
  if (file.size > maxBytes) throw localError('file-too-large');
  if (file.size < minBytes) throw localError('file-too-small');
  if (!beforeUpload) return options;
  const answer = await ask(() => beforeUpload(file, { name, type }));
  if (answer === false) throw localError('not-accepted');
  return { ...options, ...(answer || undefined) };
}

async function ask<T>(hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook();
  } catch (cause) {
    throw localError('not-accepted', undefined, cause);
  }
}
