// Keeps the functions in an uploader's options up to date, since the uploader outlives the rendering that made it.
import type { UploaderOptions } from '../index.js';

/** Returns the options with functions that call those of the latest options. */
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
