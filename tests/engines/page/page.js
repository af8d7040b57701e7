// Says where its uploads run; with `?no-worker` as in a browser, or under a policy, that has no workers.
if (location.search === '?no-worker') delete globalThis.Worker;
await import('/directput/element/index.js');
const put = document.querySelector('direct-put');
put.setAttribute('endpoint', '/uploads');
document.body.dataset.inWorker = await put.uploader.runsInWorker();
document.body.dataset.state = 'ready';
