// The time left as `<direct-put>` says it, of one file and of all together, up to the last answer.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyServer, openPage } from './harness.mjs';

const server = faultyServer('finishing', { args: ['--www', join(import.meta.dirname, 'element')] });

/** What the row of a file of 1,000 bytes says, and what is said of all, after each progress. */
const said = (page, ...told) =>
  page.evaluate(async (told) => {
    const { FakeUploader } = await import('/directput/testing/index.js');
    const put = document.querySelector('direct-put');
    put.clear();
    put.toggleAttribute('total', true);
    const uploader = new FakeUploader();
    put.uploader = uploader;
    put.add([new File([new Uint8Array(1_000)], 'a.bin')]);
    const texts = [];
    const text = (part) => put.shadowRoot.querySelector(`.${part}`).textContent;
    for (const progress of told) {
      uploader.uploads[0].progress({ phase: 'upload', secondsLeft: null, bytesPerSecond: 0, held: null, ...progress });
      // All together is shown five times a second.
      await new Promise((resolve) => setTimeout(resolve, 300));
      texts.push([text('left'), text('total-words').split(' · ').slice(1).join(' · ')]);
    }
    return texts;
  }, told);

test('while the last answer is awaited it says so, with and without a speed', async () => {
  const { page, troubles, close } = await openPage(server);
  const texts = await said(
    page,
    { sentBytes: 500, bytesPerSecond: 50, secondsLeft: 10 },
    // No speed yet, and something has still to leave.
    { sentBytes: 500 },
    // All has left, of which much waits in buffers.
    { sentBytes: 1_000, bytesPerSecond: 50, secondsLeft: 12 },
    { sentBytes: 1_000, bytesPerSecond: 50, secondsLeft: 0.4 },
    { sentBytes: 1_000, bytesPerSecond: 50, secondsLeft: 0 },
    { sentBytes: 1_000 },
    { sentBytes: 1_000, phase: 'complete' },
    { sentBytes: 1_000, held: 'offline' },
    { sentBytes: 1_000, phase: 'abort' },
  );
  const FINISHING = 'Finishing…';
  assert.deepEqual(
    texts.map(([row]) => row),
    ['10 sec left', '', '12 sec left', FINISHING, FINISHING, FINISHING, FINISHING, '', ''],
  );
  assert.deepEqual(
    texts.slice(0, 7).map(([, all]) => all),
    [
      '50 byte/s · 10 sec left',
      '',
      '50 byte/s · 12 sec left',
      ...Array(2).fill(`50 byte/s · ${FINISHING}`),
      FINISHING,
      FINISHING,
    ],
  );
  assert.deepEqual(troubles, []);
  await close();
});

test('it is said in the language of the page', async () => {
  const { page, close } = await openPage(server);
  for (const [language, finishing] of [
    ['de', 'Wird abgeschlossen …'],
    ['es', 'Finalizando…'],
    ['fr', 'Finalisation…'],
    ['ja', 'まもなく完了…'],
    ['ar', 'جارٍ الإنهاء…'],
  ]) {
    await page.evaluate((language) => {
      document.documentElement.lang = language;
    }, language);
    await page.waitForTimeout(300);
    assert.deepEqual(await said(page, { sentBytes: 1_000 }), [[finishing, finishing]]);
  }
  await close();
});
