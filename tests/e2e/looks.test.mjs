// Looks of `<direct-put>`: rows, the head of the list, failures first, the strip while offline, and the words for all of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyServer, openPage, rowOf } from './harness.mjs';

const server = faultyServer('looks', { args: ['--www', join(import.meta.dirname, 'element')] });

/** Opens a page with `fake(names, bytes)`, which adds files of that size to the element, with uploads that the test controls. */
async function openFake() {
  const opened = await openPage(server);
  await opened.page.evaluate(() => {
    globalThis.put = document.querySelector('direct-put');
    globalThis.fake = async (names, bytes = 10_000_000) => {
      const { FakeUploader } = await import('/directput/testing/index.js');
      const uploader = new FakeUploader();
      put.uploader = uploader;
      put.add(
        names.map((name) => {
          const file = new File(['x'], name);
          Object.defineProperty(file, 'size', { value: bytes });
          return file;
        }),
      );
      while (uploader.uploads.length < names.length) await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.uploads = uploader.uploads;
    };
    globalThis.sending = {
      phase: 'upload',
      sentBytes: 4_000_000,
      bytesPerSecond: 1_000_000,
      secondsLeft: 6,
      held: null,
    };
  });
  return opened;
}

const namesOf = (page) => page.locator('.upload .name').allTextContents();
const heights = (page) =>
  page.locator('.upload').evaluateAll((rows) => rows.map((row) => Math.round(row.getBoundingClientRect().height)));

test('a row is 56 px high in each state without a failure, and its bar is at its lower edge while it is under way', async () => {
  const { page, troubles, close } = await openFake();
  await page.evaluate(async () => {
    await fake(['waiting.bin', 'running.bin', 'paused.bin', 'stored.bin', 'cancelled.bin']);
    uploads[1].progress(sending);
    uploads[2].progress(sending);
    uploads[3].store();
    uploads[4].upload.cancel();
  });
  await page.getByRole('button', { name: 'Pause: paused.bin' }).click();
  await page.getByRole('button', { name: 'Resume: paused.bin' }).waitFor();
  assert.deepEqual(await heights(page), [56, 56, 56, 56, 56]);
  const bar = await rowOf(page, 1).evaluate((row) => {
    const [own, bar] = [row, row.querySelector('.bar')].map((element) => element.getBoundingClientRect());
    return [bar.height, Math.round(own.bottom - bar.bottom)];
  });
  assert.deepEqual(bar, [3, 1], 'the bar is 3 px high, above the border');
  const bars = await page.locator('.bar').evaluateAll((bars) => bars.map(({ hidden }) => !hidden));
  assert.deepEqual(bars, [false, true, true, false, false]);
  assert.deepEqual(await page.locator('.facts').allTextContents(), Array(5).fill('10 MB'));
  assert.deepEqual(await page.locator('.notice').allTextContents(), ['Waiting', '', 'Paused', '', 'Cancelled']);
  assert.equal(await rowOf(page, 3).locator('.stored').textContent(), 'Uploaded');
  const tick = await rowOf(page, 3)
    .locator('.icon')
    .evaluate((icon) => getComputedStyle(icon, '::after').content);
  assert.equal(tick, '"✓"');
  for (const button of await page.locator('.buttons button:visible').all()) {
    assert.match(await button.getAttribute('aria-label'), /^(Pause|Resume|Cancel|Undo|Remove): \w+\.bin$/);
    const { width, height } = await button.boundingBox();
    assert.ok(width >= 24 && height >= 24, `a target of ${width} by ${height} px (WCAG 2.5.8)`);
  }
  assert.deepEqual(troubles, []);
  await close();
});

test('a long name loses its middle, and keeps its end in either direction', async () => {
  const { page, close } = await openFake();
  const long = `${'very-'.repeat(30)}long-report.final.pdf`;
  await page.evaluate((names) => fake(names), [long, 'short.pdf', `${'طويل'.repeat(90)}.pdf`, 'no-extension']);
  assert.deepEqual((await namesOf(page)).slice(0, 2), [long, 'short.pdf']);
  for (const width of [375, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const seen = await page.locator('.name').evaluateAll((names) =>
      names.map((name) => {
        const [start, end] = name.children;
        const [row, own] = [name.closest('.title'), name].map((element) => element.getBoundingClientRect());
        const isInside = own.left >= row.left && own.right <= row.right + 1;
        return [start.scrollWidth > start.clientWidth, end.scrollWidth > end.clientWidth, isInside];
      }),
    );
    assert.deepEqual(seen[0], [true, false, true]);
    assert.deepEqual(seen[1], [false, false, true]);
    assert.deepEqual(seen[2], [true, false, true]);
    assert.deepEqual(await heights(page), [56, 56, 56, 56]);
  }
  assert.deepEqual(await page.locator('.icon').allTextContents(), ['pdf', 'pdf', 'pdf', '']);
  await close();
});

test('the head has the progress of all files, and pauses, resumes, retries, cancels and clears them', async () => {
  const { page, troubles, close } = await openFake();
  const head = page.locator('.overview');
  const button = (name) => head.getByRole('button', { name, exact: true });
  await page.evaluate(() => fake(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `${name}.bin`)));
  await page.evaluate(() => {
    uploads[0].store();
    uploads[1].store();
    uploads[2].progress(sending);
    uploads[3].progress(sending);
  });
  await page.locator('.total-words', { hasText: /^28 MB of 70 MB · 21 sec left$/ }).waitFor();
  assert.equal(await page.locator('.summary').textContent(), 'Uploading 3 of 7');
  assert.equal(await page.locator('.total-bar').evaluate(({ value }) => value), 0.4);
  assert.deepEqual(await head.getByRole('button').allTextContents(), ['Pause all', 'Cancel all']);

  await button('Pause all').click();
  await page.locator('.summary', { hasText: /^Paused$/ }).waitFor();
  const controls = () => page.evaluate(() => uploads.map(({ control }) => control ?? ''));
  assert.deepEqual(await controls(), ['', '', ...Array(5).fill('pause')]);
  await button('Resume all').click();
  await page.locator('.summary', { hasText: 'Uploading 3 of 7' }).waitFor();
  assert.deepEqual(await controls(), ['', '', ...Array(5).fill('resume')]);

  await page.evaluate(() => {
    uploads[2].fail('network', { retryable: true });
    uploads[3].fail('type-not-allowed');
  });
  await page.locator('.summary', { hasText: 'Uploading 5 of 7 · 2 failed' }).waitFor();
  await button('Retry failed').click();
  await page.waitForFunction(() => uploads.length === 8);
  assert.equal(await page.evaluate(() => uploads[7].file.name), 'c.bin', 'only a file that a retry can store');
  await button('Retry failed').waitFor({ state: 'hidden' });
  await button('Cancel all').click();
  await page.locator('.summary', { hasText: '2 of 3 files uploaded · 1 failed' }).waitFor();
  assert.equal(await page.locator('.total').isVisible(), false);

  // In a form, clearing would take keys from the form, so the button has to be asked for.
  assert.equal(await button('Clear').isVisible(), false);
  await page.evaluate(() => put.setAttribute('actions', ''));
  await button('Clear').click();
  assert.deepEqual(await namesOf(page), ['d.bin']);
  await page.evaluate(() => put.removeAttribute('actions'));
  await head.waitFor({ state: 'hidden' });
  assert.deepEqual(troubles, []);
  await close();
});

test('one file has no head, unless attributes ask for it, and `false` removes the head of several', async () => {
  const { page, close } = await openFake();
  await page.evaluate(async () => {
    put.removeAttribute('name');
    await fake(['a.bin']);
    uploads[0].progress(sending);
  });
  assert.equal(await page.locator('.overview').isVisible(), false);
  await page.evaluate(() => Object.assign(put, { actions: true, total: true }));
  await page.locator('.total-words', { hasText: '4 MB of 10 MB · 6 sec left' }).waitFor();
  assert.deepEqual(await page.locator('.actions button:visible').allTextContents(), ['Pause all', 'Cancel all']);
  await page.evaluate(async () => {
    Object.assign(put, { actions: false, total: false });
    put.add([new File(['x'], 'b.bin')]);
  });
  await page.locator('.summary', { hasText: 'Uploading 1 of 2' }).waitFor();
  assert.deepEqual(await page.locator('.actions button:visible, .total:visible').count(), 0);
  assert.equal(await page.evaluate(() => put.outerHTML.match(/(actions|total)="false"/g).length), 2);
  await page.evaluate(() => {
    for (const name of ['actions', 'total']) put.removeAttribute(name);
    uploads[0].store();
  });
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  assert.deepEqual(await namesOf(page), ['b.bin']);
  await close();
});

test('files that are paused before their turn begin paused', async () => {
  const { page, close } = await openFake();
  const seen = await page.evaluate(async () => {
    const { FakeUploader } = await import('/directput/testing/index.js');
    const uploader = new FakeUploader();
    put.uploader = uploader;
    put.add(Array.from({ length: 100 }, (_, index) => new File(['x'], `${index}`)));
    const begun = uploader.uploads.length;
    await new Promise((resolve) => queueMicrotask(resolve));
    put.shadowRoot.querySelector('.pause-all').click();
    while (uploader.uploads.length < 100) await new Promise((resolve) => setTimeout(resolve, 10));
    return [begun < 100, ...new Set(uploader.uploads.map(({ control }) => control))];
  });
  assert.deepEqual(seen, [true, 'pause']);
  await close();
});

test('failed files are first, in their order, and go back to their places when they are retried', async () => {
  const { page, close } = await openFake();
  await page.evaluate(async () => {
    await fake(['a', 'b', 'c', 'd', 'e']);
    put.shadowRoot.querySelectorAll('.pause')[3].focus();
    uploads[3].fail('network', { retryable: true });
  });
  const order = async (...names) => {
    await page.waitForFunction(
      (names) => [...put.shadowRoot.querySelectorAll('.name')].map(({ textContent }) => textContent).join() === names,
      names.join(),
    );
    const places = await page.locator('.upload').evaluateAll((rows) => rows.map((row) => Number(row.ariaPosInSet)));
    assert.deepEqual(places, [1, 2, 3, 4, 5]);
  };
  const focused = () => page.evaluate(() => put.shadowRoot.activeElement?.getAttribute('aria-label'));
  await order('d', 'a', 'b', 'c', 'e');
  assert.equal(await focused(), 'Retry: d', 'the focus moves along with its row');
  await page.evaluate(() => uploads[1].fail('network', { retryable: true }));
  await order('b', 'd', 'a', 'c', 'e');
  assert.equal(await focused(), 'Retry: d');
  await page.evaluate(() => uploads[0].store({ key: 'uploads/a' }));
  await page.keyboard.press('Enter');
  await order('b', 'a', 'c', 'd', 'e');
  assert.equal(await focused(), 'Pause: d');
  await page.evaluate(() => {
    uploads[5].store({ key: 'uploads/d' });
    uploads[4].fail('type-not-allowed');
  });
  await order('b', 'e', 'a', 'c', 'd');
  assert.equal(await page.evaluate(() => put.value), 'uploads/a,uploads/d', 'the value keeps the order of the files');
  await close();
});

test('in a long list a failed file is at the top', async () => {
  const { page, close } = await openFake();
  await page.evaluate(async () => {
    await fake(Array.from({ length: 400 }, (_, index) => `${index}.bin`));
    uploads[390].fail('unauthorized');
  });
  await rowOf(page, 0)
    .locator('.name', { hasText: /^390\.bin$/ })
    .waitFor();
  assert.ok((await page.locator('.upload').count()) < 60);
  await close();
});

test('codes, media type and phases are behind a button', async () => {
  const { page, close } = await openFake();
  await page.evaluate(async () => {
    await fake(['a.bin', 'b.bin']);
    uploads[0].fail('unauthorized', { message: 'You have to sign in first.' });
    uploads[1].progress(sending);
  });
  const code = rowOf(page, 0).locator('.error-code');
  assert.equal(await code.textContent(), 'unauthorized');
  assert.equal(await code.isVisible(), false);
  assert.equal(
    await rowOf(page, 0).locator('.line').textContent(),
    '10 MBYou have to sign in first. Sign in, then try again.',
  );
  const open = page.getByRole('button', { name: 'Details: a.bin' });
  assert.equal(await open.getAttribute('aria-expanded'), 'false');
  await open.click();
  assert.equal(await open.getAttribute('aria-expanded'), 'true');
  assert.equal(await code.isVisible(), true);
  await open.click();
  assert.equal(await code.isVisible(), false);
  const other = page.getByRole('button', { name: 'Details: b.bin' });
  assert.equal(await other.count(), 0, 'only with the attribute');
  await page.evaluate(() => put.setAttribute('details', ''));
  await other.click();
  await rowOf(page, 1).locator('.phases .active[data-phase=upload]').waitFor();
  assert.equal(await rowOf(page, 1).locator('.type').textContent(), 'unknown type');
  await page.evaluate(() => {
    uploads[1].options.onRetry({ part: 3, code: 'storage-refused', status: 503, failures: 1, waitMs: 4_000 });
  });
  const note = rowOf(page, 1).locator('.note');
  assert.match(await note.textContent(), /^Part 3 failed \(storage-refused\) and is tried again in 4 sec\.$/);
  await page.evaluate(() => uploads[1].store({ key: 'uploads/b' }));
  assert.equal(await rowOf(page, 1).locator('.key').textContent(), 'uploads/b');
  assert.equal(await rowOf(page, 1).locator('.phases').isVisible(), false);
  await close();
});

test('the wait for a busy server counts down, and a short wait is not shown', async () => {
  const { page, close } = await openFake();
  await page.evaluate(async () => {
    await fake(['a.bin', 'b.bin', 'c.bin', 'd.bin']);
    const retry = { part: 1, code: 'storage-refused', status: 503, failures: 1, waitMs: 3_000 };
    for (const upload of uploads) upload.progress(sending);
    uploads[0].options.onRetry(retry);
    uploads[0].progress({ held: 'busy' });
    uploads[1].options.onRetry({ ...retry, code: 'network', status: 0 });
    uploads[2].options.onRetry({ ...retry, waitMs: 300 });
    uploads[3].progress({ held: 'busy' });
  });
  const notices = () => page.locator('.notice').allTextContents();
  assert.deepEqual(await notices(), ['Server busy, retrying in 3 sec', 'Retrying in 3 sec', '', 'Server busy']);
  assert.deepEqual(await page.locator('.speed').allTextContents(), ['', '', '1 MB/s', '']);
  await page.locator('.notice', { hasText: 'Server busy, retrying in 1 sec' }).waitFor();
  await page.waitForFunction(() => put.shadowRoot.querySelectorAll('.notice')[1].textContent === '');
  await close();
});

test('offline is one amber strip, and rows say what they wait for without red', async () => {
  const { page, context, close } = await openFake();
  await page.evaluate(() => fake(['a.bin', 'b.bin']));
  await context.setOffline(true);
  await page.evaluate(() => {
    for (const upload of uploads)
      upload.progress({ ...sending, held: 'offline', bytesPerSecond: 0, secondsLeft: null });
  });
  const strip = page.locator('.offline');
  await strip.waitFor();
  const seen = await page.evaluate(() => {
    const root = put.shadowRoot;
    const color = (element) => getComputedStyle(element).color;
    const probe = document.createElement('i');
    root.append(probe);
    const of = (name) => {
      probe.style.color = `var(--${name})`;
      return color(probe);
    };
    const texts = [...root.querySelectorAll('.upload, .upload *')].map(color);
    return { strip: color(root.querySelector('.offline')), warn: of('warn'), isRed: texts.includes(of('bad')) };
  });
  assert.deepEqual(seen, { strip: seen.warn, warn: seen.warn, isRed: false });
  assert.deepEqual(await page.locator('.notice').allTextContents(), Array(2).fill('Waiting for the network'));
  await context.setOffline(false);
  await strip.waitFor({ state: 'hidden' });
  await close();
});

test('the zone says what to do while files are dragged over it, and is low once there are files', async () => {
  const { page, close } = await openFake();
  const zone = page.locator('.drop');
  const before = await zone.boundingBox();
  const transfer = await page.evaluateHandle(() => new DataTransfer());
  await page.dispatchEvent('.drop', 'dragover', { dataTransfer: transfer });
  assert.equal(await page.locator('.drop-now').isVisible(), true);
  assert.equal(await page.locator('.drop-now').textContent(), 'Drop to upload');
  const opacity = (part) => page.locator(`.${part}`).evaluate((element) => getComputedStyle(element).opacity);
  // Not `visibility`: a drag whose target becomes invisible before the drop has no target.
  for (const part of ['drop-icon', 'drop-words', 'choices']) assert.equal(await opacity(part), '0');
  assert.deepEqual(await zone.boundingBox(), before, 'nothing moves');
  await page.dispatchEvent('.drop', 'dragleave', { dataTransfer: transfer });
  assert.equal(await page.locator('.drop-now').isVisible(), false);
  await page.evaluate(() => fake(['a.bin']));
  const { height } = await zone.boundingBox();
  assert.ok(height < 64, `${height} px`);
  await close();
});

const WORDS = {
  de: [
    'Hochgeladen',
    'Verwerfen',
    'Leeren',
    'Server ausgelastet, neuer Versuch in 4 Sek.',
    'Upload 2 von 3 · 1 fehlgeschlagen',
    'Alle anhalten',
  ],
  fr: [
    'Envoyé',
    'Abandonner',
    'Effacer',
    'Serveur occupé, nouvel essai dans 4 s',
    'Envoi 2 sur 3 · 1 échec',
    'Tout mettre en pause',
  ],
  es: [
    'Subido',
    'Descartar',
    'Limpiar',
    'Servidor ocupado, se reintenta en 4 s',
    'Subiendo 2 de 3 · 1 ha fallado',
    'Pausar todo',
  ],
  ja: [
    'アップロード済み',
    '破棄',
    'クリア',
    'サーバーが混雑しています。4 秒後に再試行',
    'アップロード中 2 / 3 · 1 個が失敗しました',
    'すべて一時停止',
  ],
  ar: [
    'تم الرفع',
    'تجاهل',
    'مسح',
    'الخادم مشغول، تُعاد المحاولة خلال 4 ث',
    'جارٍ رفع 2 من 3 · فشل 1',
    'إيقاف الكل مؤقتًا',
  ],
  en: ['Uploaded', 'Discard', 'Clear', 'Server busy, retrying in 4 sec', 'Uploading 2 of 3 · 1 failed', 'Pause all'],
};

test('each language has the words of the list', async () => {
  const { page, close } = await openFake();
  for (const [language, words] of Object.entries(WORDS)) {
    const said = await page.evaluate(async (language) => {
      document.documentElement.lang = language;
      const { labels } = put;
      while (put.labels === labels && language !== 'en') await new Promise((resolve) => setTimeout(resolve, 10));
      while (language === 'en' && put.labels.choose !== 'Choose files')
        await new Promise((resolve) => setTimeout(resolve, 10));
      const { stored, forget, clearFinished, pauseAll, retrying, uploading } = put.labels;
      const retry = retrying({ part: 1, code: 'storage-refused', status: 503, failures: 1, waitMs: 4_000 });
      return [stored, forget, clearFinished, retry, uploading(2, 1, 3), pauseAll];
    }, language);
    // Numbers and units are separated by different spaces.
    assert.deepEqual(
      said.map((text) => text.replaceAll(/\s/g, ' ')),
      words,
    );
  }
  await close();
});
