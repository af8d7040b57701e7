// directput in its variants: the worker or the page, and what verifies the bytes.
import { AT_ONCE } from './shared.js';

export async function prepare(_target, options = {}) {
  // Served beside the page, as published; the bundler must leave it alone.
  const path = '/directput/index.js';
  const { Uploader } = await import(path);
  const uploader = new Uploader({ endpoint: '/uploads', partsInFlight: AT_ONCE, ...options });
  await uploader.runsInWorker();
  return (files) => Promise.all(files.map((file) => uploader.upload(file)));
}
