// Makes the animation of the element, after `make package`: node tools/animation.mjs
// Its uploads send nothing: each frame sets the state that they would have at that time.
import { writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { launchOptions } from '../tests/e2e/browser.mjs';
import { animate } from './apng.mjs';
import { servePage } from './fake-page.mjs';

const FRAME_MS = 200;
const FRAMES = 44;
/** Time for which the last frame stays. */
const END_MS = 2_500;

/** Shows the state at a frame: files are dropped, one fails, S3 throttles another, the failed one is retried. */
async function show(frame) {
  const size = { film: 120_000_000, interview: 38_000_000, minutes: 2_400_000 };
  if (frame === 2) put.toggleAttribute('data-over', true);
  if (frame === 6) {
    put.toggleAttribute('data-over', false);
    globalThis.uploads = await add(
      ['holiday-film.mp4', size.film],
      ['interview.wav', size.interview],
      ['minutes.pdf', size.minutes],
    );
  }
  if (frame < 8) return;
  const [film, interview, minutes, again] = uploads;
  const seconds = (frame - 8) * 0.3;
  const sent = (bytes, from, speed) => Math.min(bytes, Math.max(0, seconds - from) * speed);
  const move = (upload, bytes, from, speed, more) => {
    const now = sent(bytes, from, speed);
    upload.progress(at(now, { bytesPerSecond: speed, secondsLeft: (bytes - now) / speed, ...more }));
    if (now === bytes) upload.store();
  };
  move(minutes, size.minutes, 0, 2_400_000);
  if (frame < 16) move(interview, size.interview, 0, 6_000_000);
  if (frame === 16) interview.fail('network', { message: 'The network failed.', retryable: true, resumeId: 'x' });
  if (frame === 24) put.shadowRoot.querySelector('.retry').click();
  if (frame > 24) move(again, size.interview, 2.6, 7_500_000);
  const isBusy = frame >= 27 && frame < 33;
  if (frame === 27) film.options.onRetry({ part: 9, code: 'storage-refused', status: 503, failures: 1, waitMs: 4_000 });
  if (isBusy) film.progress(at(sent(size.film, 0, 14_000_000) && 77_000_000, { held: 'busy', bytesPerSecond: 0 }));
  else if (frame < 27) move(film, size.film, 0, 14_000_000);
  else move(film, size.film, 3.6, 21_000_000);
}

const server = await servePage();
const browser = await chromium.launch(launchOptions);
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 640, height: 372 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.locator('body[data-state=ready]').waitFor();
  const frames = [];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    await page.evaluate(show, frame);
    // The head is drawn five times per second.
    await page.waitForTimeout(FRAME_MS);
    frames.push({ png: await page.screenshot(), ms: frame === FRAMES - 1 ? END_MS : FRAME_MS });
  }
  writeFileSync(`docs/pictures/element-${colorScheme}.apng.png`, animate(frames));
  await context.close();
}
await browser.close();
server.close();
