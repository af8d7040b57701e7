// Uppy's Dashboard with directput as its uploader.
import '@uppy/core/css/style.css';
import '@uppy/dashboard/css/style.css';
import Uppy from '@uppy/core';
import Dashboard from '@uppy/dashboard';
import DirectPut from 'directput/uppy';

const uppy = new Uppy({ autoProceed: false });
uppy.use(Dashboard, { inline: true, target: '#app', theme: 'light' });
uppy.use(DirectPut, { endpoint: '/uploads' });
globalThis.told = [];
for (const event of ['upload-start', 'upload-progress', 'upload-success', 'upload-error', 'complete', 'file-removed']) {
  uppy.on(event, (...told) => {
    if (globalThis.told.at(-1)?.[0] !== event) globalThis.told.push([event]);
    if (event === 'upload-success') globalThis.told.push(['body', told[1].body]);
    if (event === 'upload-progress') globalThis.share = told[1].bytesUploaded / told[1].bytesTotal;
    if (event === 'complete') globalThis.told.push(['counts', told[0].successful.length, told[0].failed.length]);
  });
}
globalThis.uppy = uppy;
document.body.dataset.state = 'ready';
