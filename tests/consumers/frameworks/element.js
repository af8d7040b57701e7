// The element in a form, imported through a bundler.
import 'directput/element';

const put = document.createElement('direct-put');
put.setAttribute('endpoint', '/uploads');
put.addEventListener('stored', async ({ detail }) => {
  const inWorker = await put.uploader.runsInWorker();
  document.querySelector('output').value = JSON.stringify({ ...detail.result, inWorker });
});
document.getElementById('app').append(put);
document.body.append(document.createElement('output'));
document.body.dataset.state = 'ready';
