// The page of a run. It prepares the contestant that its URL names. When the driver calls `run`, it uploads and watches
// the page's main thread.
/** Path of the published package, which is served beside the page. The bundler must not bundle it. */
const PACKAGE = '/directput/index.js';

const directput =
  (options) =>
  async ({ s3 }) => {
    const { Uploader } = await import(PACKAGE);
    const uploader = new Uploader({ endpoint: '/uploads', partsInFlight: 6, preconnect: s3, ...options });
    return (files) => Promise.all(files.map((file) => uploader.upload(file)));
  };
const peer = (load) => async (target) => (await load()).prepare(target);

/** All contestants. Each is loaded only in its own runs. */
const CONTESTANTS = {
  floor: peer(() => import('./floor.js')),
  'floor-lanes': async (target) => (await import('./floor.js')).prepareLanes(target),
  reference: peer(() => import('./reference.js')),
  uppy: peer(() => import('./uppy.js')),
  'lib-storage': peer(() => import('./lib-storage.js')),
  evaporate: peer(() => import('./evaporate.js')),
  'single-put': peer(() => import('./single-put.js')),
  'directput-sha256': directput({}),
  'directput-page': directput({ worker: false }),
  // The driver opens this contestant's page in an insecure context, where `crypto.subtle` is missing.
  'directput-wasm': directput({}),
  'directput-crc64nvme': directput({ checksum: 'crc64nvme' }),
  'directput-crc64nvme-after': directput({ checksum: 'crc64nvme-after' }),
  'directput-none': directput({ checksum: 'none' }),
};

/**
 * Watches the main thread. Records the longest task over 50 ms, the longest time between frames, and the longest input
 * delay, in milliseconds.
 */
function watch() {
  const seen = { longTaskMs: 0, frameMs: 0, inputDelayMs: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTaskMs = Math.max(seen.longTaskMs, duration);
  });
  observer.observe({ type: 'longtask' });
  const onMove = ({ timeStamp }) => {
    seen.inputDelayMs = Math.max(seen.inputDelayMs, performance.now() - timeStamp);
  };
  addEventListener('mousemove', onMove);
  let isOver = false;
  let before;
  const onFrame = (now) => {
    if (before !== undefined) seen.frameMs = Math.max(seen.frameMs, now - before);
    before = now;
    if (!isOver) requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  return async () => {
    // Waits, because the browser reports long tasks late.
    await new Promise((resolve) => setTimeout(resolve, 100));
    isOver = true;
    observer.disconnect();
    removeEventListener('mousemove', onMove);
    return seen;
  };
}

const { contestant, s3, bucket, lazy } = Object.fromEntries(new URLSearchParams(location.search));
const prepare = () => CONTESTANTS[contestant]({ s3, bucket });
const prepared = lazy ? undefined : prepare();
// A real user takes longer than 500 ms to choose a file, so the page may use this time to prepare.
globalThis.ready = Promise.all([prepared, new Promise((resolve) => setTimeout(resolve, 500))]).then(() => true);

globalThis.run = async () => {
  const files = [...document.querySelector('#file').files];
  const stop = watch();
  const started = performance.now();
  const upload = await (prepared ?? prepare());
  await upload(files);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, startedAtMs: performance.timeOrigin + started, ...(await stop()) };
};
