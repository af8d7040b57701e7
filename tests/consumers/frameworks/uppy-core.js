// Uppy without its Dashboard: files that are renamed, that have an invalid media type, or that are removed.
import Uppy from '@uppy/core';
import DirectPut from 'directput/uppy';

const uppy = new Uppy({ autoProceed: false });
uppy.use(DirectPut, { endpoint: '/uploads', maxFiles: 3 });
globalThis.uppy = uppy;
globalThis.add = (name, type) => uppy.addFile({ name, type, data: new File([name], name, { type }) });
globalThis.send = async () => {
  const { successful, failed } = await uppy.upload();
  return {
    stored: successful.map(({ response }) => response.body.key),
    failed: failed.map(({ error }) => error),
  };
};
document.getElementById('app').textContent = Uppy.VERSION;
document.body.dataset.state = 'ready';
