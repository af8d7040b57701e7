// Options of an uploader that outlives the rendering that they came from.
import type { UploaderOptions } from '../index.js';

/** The options, with functions that ask the latest ones. */
export function following<O extends Partial<UploaderOptions>>(options: O, now: () => Partial<UploaderOptions>): O {
  const { headers, beforeUpload } = options;
  return {
    ...options,
    ...(typeof headers === 'function' && {
      headers: () => {
        const { headers = {} } = now();
        return typeof headers === 'function' ? headers() : headers;
      },
    }),
    ...(beforeUpload && { beforeUpload: (file, metadata) => now().beforeUpload?.(file, metadata) }),
  } as O;
}
