// Compiled with TypeScript's strictest options, to check the package's types.
import 'directput/element';
import { init, type Progress, type Upload, Uploader, UploadError, type UploadResult } from 'directput';

init({ workerUrl: '/worker.js', wasmUrl: new URL('https://cdn.example/directput_bg.wasm') });
const uploader = new Uploader({ endpoint: '/uploads', headers: async () => ({ authorization: 'Bearer x' }) });
const upload: Upload = uploader.upload(new Blob(['x']), {
  onProgress: ({ sentBytes, size }: Progress) => sentBytes / size,
  signal: AbortSignal.timeout(60_000),
});
upload.pause();
try {
  const { key, etag }: UploadResult = await upload;
  console.info(key, etag?.length);
} catch (error) {
  if (error instanceof UploadError && error.code === 'aborted') throw error.cause;
}
// @ts-expect-error: `md5` is not a checksum algorithm.
new Uploader({ endpoint: '/uploads', checksum: 'md5' });

const strict = new Uploader({
  endpoint: new URL('https://api.example/uploads'),
  accept: 'image/*,.pdf',
  maxBytes: 5_000_000,
  beforeUpload: async (file, { name, type }) => (file.size > 0 ? { name: `${name}.bak`, type } : false),
});
strict.addEventListener('stored', ({ detail }) => detail.result.key.length + (detail.file?.size ?? 0));
strict.addEventListener('failed', (event) => {
  if (event.detail.error.code === 'not-accepted') event.preventDefault();
});
// @ts-expect-error: a stored upload has no error.
strict.addEventListener('stored', ({ detail }) => detail.error);
for await (const { phase, secondsLeft } of strict.upload(new Blob(), { checksum: 'crc64nvme' })) {
  console.info(phase, secondsLeft?.toFixed());
}

const put = document.createElement('direct-put');
put.addEventListener('stored', ({ detail }) => detail.path.length + detail.result.size);
put.addEventListener('progress', ({ detail }) => detail.progress.sentBytes);
put.addEventListener('failed', ({ detail }) => [detail.error.limit, detail.upload?.cancel()]);
put.addEventListener('click', ({ clientX }) => clientX);
put.maxFiles = 3;
put.autostart = false;
put.labels = { error: ({ limit = 0 }) => `At most ${limit}.` };
const element: HTMLElement = put;
element.addEventListener('change', () => put.retryAll());
// @ts-expect-error: the event is not a ProgressEvent.
put.addEventListener('progress', ({ loaded }) => loaded);
// @ts-expect-error: `maxBytes` must be a number.
put.maxBytes = '5 MB';
