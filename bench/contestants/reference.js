// The contestant `reference`: a good hand-written uploader. A worker hashes each part with `crypto.subtle`, then sends
// the lazy slice with the digest. It has no signing, no retries and no progress.

export async function prepare(target) {
  const worker = new Worker(new URL('./reference-worker.js', import.meta.url), { type: 'module' });
  await new Promise((resolve) => {
    worker.onmessage = resolve;
  });
  return (files) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve());
      worker.postMessage({ target, files });
    });
}
