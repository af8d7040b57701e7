// The reference: what a good programmer writes by hand. A worker hashes each part by `crypto.subtle`, then sends the
// lazy slice with the digest. No signing, no retry, no progress.

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
