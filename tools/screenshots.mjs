// Takes the pictures of the documents, after `make package server`: node tools/screenshots.mjs
// Those of the element show uploads that send nothing. Those of the demo page show an upload to the local server.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { launchOptions } from '../tests/e2e/browser.mjs';
import { startServer } from '../tests/e2e/server.mjs';
import { servePage } from './fake-page.mjs';

const FOLDER = 'docs/pictures';
const THEMES = ['light', 'dark'];
const MIB = 2 ** 20;
/** Each state of the element: a function of the page. */
const STATES = {
  empty: async () => {
    put.accept = 'image/*,.pdf';
    put.maxBytes = 50_000_000;
    put.maxFiles = 10;
  },
  running: async () => {
    const picture = new OffscreenCanvas(96, 96);
    const context = picture.getContext('2d');
    const sky = context.createLinearGradient(0, 0, 0, 96);
    for (const [at, color] of [
      [0, '#25316d'],
      [0.6, '#f08a5d'],
      [1, '#f9ed69'],
    ])
      sky.addColorStop(at, color);
    context.fillStyle = sky;
    context.fillRect(0, 0, 96, 96);
    put.add([new File([await picture.convertToBlob()], 'sunset.png', { type: 'image/png' })]);
    const uploads = await add(
      ['quarterly-report-2026-with-all-appendices-final-version-for-print.pdf', 2_400_000],
      ['holiday-film.mp4', 120_000_000],
      ['interview.wav', 38_000_000],
      ['notes.txt', 800],
    );
    for (const upload of uploads.slice(0, 2)) upload.store();
    uploads[2].progress(at(52_000_000));
    uploads[3].progress(at(8_000_000, { bytesPerSecond: 3_100_000, secondsLeft: 10 }));
  },
  states: async () => {
    const uploads = await add(
      ['holiday-film.mp4', 120_000_000],
      ['backup.tar', 64_000_000],
      ['interview.wav', 38_000_000],
      ['setup.exe', 4_000_000],
      ['draft.docx', 90_000],
      ['minutes.pdf', 300_000],
    );
    uploads[0].progress(at(52_000_000));
    uploads[1].progress(at(20_000_000));
    uploads[1].options.onRetry({ part: 3, code: 'storage-refused', status: 503, failures: 1, waitMs: 4_000 });
    uploads[1].progress({ held: 'busy' });
    uploads[2].fail('network', { message: 'The network failed.', retryable: true, resumeId: 'x' });
    uploads[3].fail('type-not-allowed', { message: 'Files of this type are not accepted here.' });
    uploads[4].upload.cancel();
    uploads[5].store();
    await wait(50);
    put.shadowRoot.querySelectorAll('.upload[data-state=running] .pause')[0].click();
  },
  phone: async () => {
    const uploads = await add(
      ['quarterly-report-with-all-appendices.pdf', 62_000_000],
      ['holiday-film.mp4', 120_000_000],
      ['minutes.pdf', 300_000],
    );
    uploads[0].fail('file-too-large', { message: 'The file is larger than is accepted here.' });
    uploads[1].progress(at(52_000_000));
    uploads[2].store();
  },
  offline: async () => {
    const uploads = await add(['holiday-film.mp4', 120_000_000], ['interview.wav', 38_000_000]);
    for (const upload of uploads)
      upload.progress(at(20_000_000, { held: 'offline', bytesPerSecond: 0, secondsLeft: null }));
  },
  details: async () => {
    put.details = true;
    const uploads = await add(
      ['holiday-film.mp4', 120_000_000, 'video/mp4'],
      ['minutes.pdf', 300_000, 'application/pdf'],
    );
    uploads[0].progress(at(52_000_000));
    uploads[1].store({
      key: 'uploads/8d1f2b1e-6a0b-4f5e-9d0e-2f0b7c1d2e3f.pdf',
      checksum: 'qUiQTy8PR5uPgZdpSzAYSw0u0cHNKh7A+4XSmaGSpEc=',
      etag: '9b2cf535f27731c974343645a3985328',
    });
    await wait(100);
    for (const control of put.shadowRoot.querySelectorAll('.details')) control.click();
  },
};

const server = await servePage();
const browser = await chromium.launch(launchOptions);
for (const [name, run] of Object.entries(STATES)) {
  const isPhone = name === 'phone';
  for (const colorScheme of THEMES) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width: isPhone ? 375 : 672, height: 200 },
      deviceScaleFactor: isPhone ? 2 : 1,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.locator('body[data-state=ready]').waitFor();
    await context.setOffline(name === 'offline');
    await page.evaluate(run);
    // The head is drawn five times per second.
    await page.waitForTimeout(400);
    const path = join(FOLDER, `${isPhone ? '' : 'element-'}${name}-${colorScheme}.png`);
    await page.screenshot({ path, fullPage: true });
    await context.close();
  }
}
server.close();

const folder = mkdtempSync(join(tmpdir(), 'directput-pictures-'));
const demo = await startServer({ data: join(folder, 'data'), args: ['--control'] });
const path = join(folder, 'holiday-film.mp4');
writeFileSync(path, randomBytes(320 * MIB));
for (const colorScheme of THEMES) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1100, height: 700 } });
  const page = await context.newPage();
  await page.goto(demo.page);
  await page.locator('body[data-state=ready]').waitFor();
  const faults = [{ on: 'put', bytesPerSecond: 12 * MIB }];
  await fetch(`${demo.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') };
  await page.setInputFiles('#file', notes);
  await page.locator('.upload[data-state=stored]').waitFor();
  await page.setInputFiles('#file', path);
  const isFar = () => document.querySelector('direct-put').shadowRoot.querySelectorAll('.bar')[1].value > 0.6;
  await page.waitForFunction(isFar, undefined, { timeout: 120_000 });
  await page.screenshot({ path: join(FOLDER, `demo-${colorScheme}.png`), fullPage: true });
  await context.close();
}
await demo.stop();
await browser.close();
rmSync(folder, { recursive: true });
