// A page with the element in a form. Records the data that the form would send, and the element's events.
import '/directput/element/index.js';

const form = document.querySelector('form');
const put = document.querySelector('direct-put');
globalThis.sent = [];
globalThis.events = [];
form.addEventListener('submit', (event) => {
  event.preventDefault();
  globalThis.sent.push([...new FormData(form)]);
});
for (const type of ['start', 'progress', 'retry', 'stored', 'failed', 'change']) {
  put.addEventListener(type, ({ detail }) => {
    if (globalThis.events.at(-1) !== type) globalThis.events.push(type);
    if (detail && !(detail.upload instanceof Promise)) globalThis.events.push('no upload');
  });
}
document.body.dataset.state = 'ready';
