// The script of every app without a framework: a file input, and the element.
import { Uploader } from 'directput';
import 'directput/element';

const endpoint = new URLSearchParams(location.search).get('api');
const uploader = new Uploader({ endpoint });
document.querySelector('direct-put').setAttribute('endpoint', endpoint);
document.querySelector('#own').addEventListener('change', async ({ target }) => {
  const output = document.querySelector('output');
  try {
    const { key, size } = await uploader.upload(target.files[0]);
    output.textContent = JSON.stringify({ key, size, inWorker: await uploader.runsInWorker() });
  } catch (error) {
    output.textContent = JSON.stringify({ code: error.code, message: error.message, cause: String(error.cause) });
  }
});
document.body.dataset.state = 'ready';
