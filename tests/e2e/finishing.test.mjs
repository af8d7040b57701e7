// The time left that `<direct-put>` shows, for one file and for all files, until S3's last answer.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyServer, openPage } from './harness.mjs';

const server = faultyServer('finishing', { args: ['--www', join(import.meta.dirname, 'element')] });

/** Returns the texts in the row of a 1,000-byte file and in the summary, after each progress event. */
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
      // The summary is updated five times per second.
      await new Promise((resolve) => setTimeout(resolve, 300));
      texts.push([text('left'), text('total-words').split(' · ').slice(1).join(' · ')]);
    }
    return texts;
  }, told);

test('the text says that the last answer is awaited, with and without a speed', async () => {
  const { page, troubles, close } = await openPage(server);
  const texts = await said(
    page,
    { sentBytes: 500, bytesPerSecond: 50, secondsLeft: 10 },
    // The speed is not known yet, and some bytes have not been sent.
    { sentBytes: 500 },
    // All bytes have been sent, but many are still in buffers.
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
    ['10 sec left', '', '12 sec left', FINISHING, FINISHING, FINISHING, FINISHING],
  );
  assert.deepEqual(troubles, []);
  await close();
});

test('the text is in the language of the page', async () => {
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
