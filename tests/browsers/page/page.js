// A page that shows where its uploads run. With `?no-worker`, it behaves as if the browser had no workers or a policy
// blocked them.
if (location.search === '?no-worker') delete globalThis.Worker;
await import('/directput/element/index.js');
/** Checks for the features that `docs/browsers.md` lists for each browser. */
const HAS = {
  showOpenFilePicker: () => 'showOpenFilePicker' in globalThis,
  getAsFileSystemHandle: () => 'getAsFileSystemHandle' in DataTransferItem.prototype,
  connection: () => 'connection' in navigator,
  byteStream: () => Boolean(new Blob(['x']).stream().getReader({ mode: 'byob' })),
  trustedTypes: () => 'trustedTypes' in globalThis,
};

function has(feature) {
  try {
    return HAS[feature]();
  } catch {
    return false;
  }
}

document.body.dataset.has = Object.keys(HAS).filter(has).join(' ');
const put = document.querySelector('direct-put');
put.setAttribute('endpoint', '/uploads');
document.body.dataset.inWorker = await put.uploader.runsInWorker();
document.body.dataset.state = 'ready';
