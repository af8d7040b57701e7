// The demo page: `<direct-put>` as any page would use it, and a plot of what it tells.
import './directput/element/index.js';
import { Plot } from './plot.js';

/** `endpoint`, and `preconnect` if the bucket's address is known. */
const config = await (await fetch('config.json', { cache: 'no-cache' })).json();
const put = document.querySelector('direct-put');
const plot = new Plot(document.getElementById('plot'));

put.options = config;
put.setAttribute('endpoint', config.endpoint);
put.uploadOptions = (file) => ({ onPart: (part) => plot.part(file, part) });
put.addEventListener('progress', ({ detail }) => plot.progress(detail));
for (const type of ['stored', 'failed']) put.addEventListener(type, ({ detail }) => plot.end(detail));

// Faults can be switched only where the server lets them: never in AWS.
fetch('-/faults').then(
  (reply) => {
    document.getElementById('lab-link').hidden = !reply.ok;
  },
  () => {},
);

await put.refresh().catch(() => {});
document.body.dataset.state = 'ready';
