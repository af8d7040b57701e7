// Says where its uploads run; with `?no-worker` as in a browser, or under a policy, that has no workers.
if (location.search === '?no-worker') delete globalThis.Worker;
await import('/directput/element/index.js');
/** What `docs/browsers.md` says of each engine. */
const HAS = {
  showOpenFilePicker: () => 'showOpenFilePicker' in globalThis,
  getAsFileSystemHandle: () => 'getAsFileSystemHandle' in DataTransferItem.prototype,
  connection: () => 'connection' in navigator,
  byteStream: () => Boolean(new Blob(['x']).stream().getReader({ mode: 'byob' })),
  trustedTypes: () => 'trustedTypes' in globalThis,
};

function has(what) {
  try {
    return HAS[what]();
  } catch {
    return false;
  }
}

document.body.dataset.has = Object.keys(HAS).filter(has).join(' ');
const put = document.querySelector('direct-put');
put.setAttribute('endpoint', '/uploads');
document.body.dataset.inWorker = await put.uploader.runsInWorker();
document.body.dataset.state = 'ready';
