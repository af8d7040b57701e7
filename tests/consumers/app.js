// The script of most test pages: uploads the chosen file, and shows the result.
import { Uploader } from 'directput';

const uploader = new Uploader({ endpoint: '/uploads' });
const input = document.querySelector('input');
input.addEventListener('change', async () => {
  const output = document.querySelector('output');
  try {
    const result = await uploader.upload(input.files[0]);
    output.value = JSON.stringify({ ...result, inWorker: await uploader.runsInWorker() });
  } catch (error) {
    output.value = JSON.stringify({ code: error.code, message: error.message, cause: String(error.cause) });
  }
});
document.body.dataset.state = 'ready';
