// Keeps the functions in an uploader's options up to date, because the uploader outlives the rendering that made it.
import type { UploaderOptions } from '../index.js';

/** Returns the options. Their functions call the functions of the latest options, which `now` returns. */
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
