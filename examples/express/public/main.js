import { Uploader } from '/directput/index.js';

const uploader = new Uploader({ endpoint: '/uploads' });
const [input, list, template] = ['input', 'ul', 'template'].map((name) => document.querySelector(name));

input.addEventListener('change', () => {
  for (const file of input.files) show(file.name, uploader.upload(file));
  // Clears the input, so that the user can choose the same file again.
  input.value = '';
});

/** Shows an upload in its own row. */
async function show(name, upload) {
  const row = template.content.cloneNode(true).firstElementChild;
  const [bar, pause, cancel, output] = ['progress', '.pause', '.cancel', 'output'].map((at) => row.querySelector(at));
  row.querySelector('.name').textContent = name;
  bar.ariaLabel = `Progress of ${name}`;
  pause.addEventListener('click', () => {
    const isPaused = pause.textContent === 'Resume';
    if (isPaused) upload.resume();
    else upload.pause();
    pause.textContent = isPaused ? 'Pause' : 'Resume';
  });
  cancel.addEventListener('click', () => upload.cancel());
  list.append(row);
  try {
    for await (const { sentBytes, size } of upload) bar.value = size ? sentBytes / size : 1;
    const { key } = await upload;
    output.value = `Stored as ${key}`;
  } catch (error) {
    output.value = `${error.message} (${error.code})`;
  }
  pause.remove();
  cancel.remove();
}

// Lists the unfinished uploads of earlier visits. An upload resumes when the user chooses the same file again.
const names = (await uploader.listResumable()).map(({ name }) => name);
if (names.length > 0) {
  document.querySelector('#unfinished').textContent =
    `Unfinished: ${names.join(', ')}. Choose a file again to resume it.`;
}
