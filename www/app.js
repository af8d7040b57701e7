// The demo page: `<direct-put>` as in any other page, and a plot of its uploads.
import './directput/element/index.js';
import { addPresets, keepLog, setFaults } from './faults.js';
import { Plot } from './plot.js';

/**
 * `endpoint`; `preconnect`, if the bucket's address is known; `lab`, whether the server has the lab (never in AWS); `signIn`,
 * the OpenID provider, if uploads require a signed-in user.
 */
const { lab, signIn, ...config } = await (await fetch('config.json', { cache: 'no-cache' })).json();
const put = document.querySelector('direct-put');
const plot = new Plot(document.getElementById('plot'));

document.getElementById('lab').hidden = !lab;
document.body.classList.toggle('wide', lab);
if (lab) {
  const say = keepLog(put, document.getElementById('log'));
  const presets = addPresets(document.getElementById('presets'), async (faults = [], words) => {
    const reply = await setFaults(faults);
    say(reply.ok ? words : `The server refuses: ${reply.status}.`);
  });
  // The next visit shows no preset as on, so this one leaves none on.
  addEventListener('pagehide', () => presets.on().length > 0 && setFaults([], { keepalive: true }));
}
if (signIn) {
  const { openSession } = await import('./sign-in.js');
  const session = await openSession(signIn);
  document.getElementById('sign-in').hidden = session.isSignedIn;
  document.getElementById('sign-in-trouble').textContent = session.trouble ? `That failed: ${session.trouble}` : '';
  document.getElementById('sign-in-button').addEventListener('click', session.begin);
  put.hidden = !session.isSignedIn;
  config.headers = session.headers;
}
put.options = config;
put.setAttribute('endpoint', config.endpoint);
put.uploadOptions = (file) => ({ onPart: plot.follow(file) });
put.addEventListener('progress', ({ detail }) => plot.progress(detail));
for (const type of ['stored', 'failed']) put.addEventListener(type, ({ detail }) => plot.end(detail));

await put.refresh().catch(() => {});
document.body.dataset.state = 'ready';
