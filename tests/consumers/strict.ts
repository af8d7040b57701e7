// What TypeScript at its strictest makes of the package's types.
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
// @ts-expect-error: there is no such checksum.
new Uploader({ endpoint: '/uploads', checksum: 'md5' });
