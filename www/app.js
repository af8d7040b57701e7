// The demo page: takes files, uploads them, and lists what earlier visits left unfinished.
import { Uploader } from './directput/index.js';
import { dropped, picked } from './files.js';
import { Row } from './row.js';
import { advice, ageInWords, bytesInWords } from './words.js';

const $ = (id) => document.getElementById(id);

/** `endpoint`, and `preconnect` if the bucket's address is known. */
const config = await (await fetch('config.json', { cache: 'no-cache' })).json();
const uploader = new Uploader(config);
const rows = [];

function add(facts, start) {
  rows.push(new Row($('uploads'), facts, start, changed));
  changed();
}

function addFiles(found) {
  for (const { file, handle } of found) {
    add(file, (options) => uploader.upload(file, { ...options, ...(handle && { handle }) }));
  }
}

function changed() {
  const count = (state) => rows.filter((row) => row.state === state).length;
  const failed = count('failed');
  $('summary').hidden = rows.length === 0;
  $('summary').textContent =
    `${count('stored')} of ${rows.length} files stored${failed > 0 ? `, ${failed} failed` : ''}.`;
  listUnfinished();
}

// --- files ------------------------------------------------------------------------------------------

$('choose').addEventListener('click', async () => {
  // Where there is such a dialog, the browser can open the file again after a reload.
  if (typeof showOpenFilePicker === 'function') addFiles(await picked());
  else $('file').click();
});
$('file').addEventListener('change', () => {
  addFiles([...$('file').files].map((file) => ({ file })));
  // The same file can be chosen again.
  $('file').value = '';
});

addEventListener('dragover', (event) => {
  event.preventDefault();
  $('drop').classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) $('drop').classList.remove('over');
});
addEventListener('drop', async (event) => {
  event.preventDefault();
  $('drop').classList.remove('over');
  addFiles(await dropped(event.dataTransfer));
});

// --- unfinished uploads -----------------------------------------------------------------------------

let listing = 0;

async function listUnfinished() {
  const mine = ++listing;
  const list = await uploader.listResumable();
  // A later call knows better.
  if (mine !== listing) return;
  $('unfinished').hidden = list.length === 0;
  $('unfinished')
    .querySelector('ul')
    .replaceChildren(...list.map(unfinishedRow));
}

function unfinishedRow({ id, name, size, confirmedBytes, startedAt, hasFile }) {
  const row = $('unfinished-row').content.firstElementChild.cloneNode(true);
  const $$ = (name) => row.querySelector(`.${name}`);
  $$('name').textContent = name;
  const percent = Math.floor((confirmedBytes / size) * 100);
  const age = ageInWords(Date.now() - startedAt);
  $$('facts').textContent = `${bytesInWords(size)} · ${percent} % stored · begun ${age}`;
  const goOn = (file) => {
    row.remove();
    add({ name, size, type: file?.type }, (options) => uploader.resume(id, file, options));
  };
  const pickAndGoOn = () => {
    $('again').onchange = () => {
      const [file] = $('again').files;
      $('again').value = '';
      if (file) goOn(file);
    };
    $('again').click();
  };
  $$('go-on').addEventListener('click', () => (hasFile ? goOn() : pickAndGoOn()));
  if (!hasFile) $$('go-on').textContent = 'Choose the file and resume';
  $$('forget').addEventListener('click', async () => {
    $$('forget').disabled = true;
    try {
      await uploader.forget(id);
    } catch (error) {
      $$('trouble').textContent = `${error.message} ${advice(error)}`;
      $$('forget').disabled = false;
      return;
    }
    listUnfinished();
  });
  return row;
}

// --- network ----------------------------------------------------------------------------------------

function showNetwork() {
  $('offline').hidden = navigator.onLine;
}
addEventListener('online', showNetwork);
addEventListener('offline', showNetwork);
showNetwork();
// Another tab may have ended or left an upload meanwhile.
addEventListener('focus', listUnfinished);

await listUnfinished();
document.body.dataset.state = 'ready';
