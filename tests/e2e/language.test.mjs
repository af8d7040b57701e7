// `<direct-put>` in the languages of pages, from left to right and from right to left.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { ended, faultyServer, MIB, makeFile, openPage, rowOf, SLOW, screenshot, setFaults } from './harness.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const server = faultyServer('language', { args: ['--www', join(import.meta.dirname, 'element')] });
const LANGUAGES = readdirSync('npm/element/locales').map((name) => name.slice(0, 2));

const setLanguage = (page, lang) =>
  page.evaluate((lang) => {
    document.documentElement.lang = lang;
    document.documentElement.dir = lang.startsWith('ar') ? 'rtl' : 'ltr';
  }, lang);

async function load(path) {
  const { outputFiles } = await build({ entryPoints: [path], bundle: true, write: false, format: 'esm' });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

test('every language has every label, with the same placeholders and its plural forms', async () => {
  const words = {};
  for (const language of LANGUAGES) words[language] = (await load(`npm/element/locales/${language}.ts`)).default;
  assert.deepEqual(LANGUAGES.sort(), ['ar', 'de', 'en', 'es', 'fr', 'ja']);
  const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [language, own] of Object.entries(words)) {
    assert.deepEqual(Object.keys(own).sort(), Object.keys(words.en).sort(), language);
    for (const [name, text] of Object.entries(own)) {
      if (typeof text === 'string') assert.deepEqual(holes(text), holes(words.en[name]), `${language} ${name}`);
    }
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const plural of [own.filesStored, own.filesAtMost]) {
      for (const category of Object.keys(plural))
        assert.ok(pluralCategories.includes(category), `${language} ${category}`);
    }
    if (language === 'en') continue;
    assert.deepEqual(
      Object.keys(own.advices)
        .sort()
        .filter((code) => !(code in words.en.advices)),
      [],
      language,
    );
    assert.ok(Object.keys(own.errors).length > 15, language);
  }
});

test('the element has the language of its page, and follows a change', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 2 * MIB });
  const { page, troubles, close } = await openPage(server);
  const requested = [];
  page.on('request', (request) => requested.push(new URL(request.url()).pathname));
  await page.setInputFiles('#file', [await makeFile('lang.bin', 60 * MIB)]);
  await page.evaluate(() => {
    const put = document.querySelector('direct-put');
    put.maxBytes = 50_000_000;
    put.add([new File(['x'.repeat(10)], 'no.txt')]);
  });
  await setLanguage(page, 'de');
  await page.getByRole('button', { name: 'Dateien wählen' }).waitFor();
  await page.getByRole('button', { name: 'Abbrechen: lang.bin' }).waitFor();
  assert.equal(
    await page
      .locator('#summary')
      .textContent()
      .then((text) => /^Upload [12] von 2$/.test(text)),
    true,
  );
  assert.equal(await page.locator('.limits').textContent(), 'Höchstens 50 MB');
  await page.locator('.speed', { hasText: /^\d+(,\d)? [kM]B\/s$/ }).waitFor();
  await setLanguage(page, 'fr-CA');
  await page.getByRole('button', { name: 'Choisir des fichiers' }).waitFor();
  await page.locator('.left', { hasText: /restantes/ }).waitFor();
  const locales = requested.filter((path) => path.includes('/locales/')).map((path) => path.slice(-5));
  assert.deepEqual(locales, ['de.js', 'fr.js'], 'each language is loaded once, when it is needed');
  await setLanguage(page, 'pl');
  await page.getByRole('button', { name: 'Choose files' }).waitFor();
  assert.deepEqual(troubles, []);
  await close();
});

test('an error states what is allowed, in the language of the page or with labels of the page', async () => {
  const { page, close } = await openPage(server);
  await page.evaluate(() => {
    document.querySelector('direct-put').maxBytes = 50_000_000;
    const file = new File(['x'], 'large.bin');
    Object.defineProperty(file, 'size', { value: 60_000_000 });
    globalThis.put = document.querySelector('direct-put');
    globalThis.put.add([file]);
  });
  const words = rowOf(page).locator('.error-words');
  await words.waitFor();
  assert.equal(await words.textContent(), 'The file is larger than is accepted here. 50 MB at most.');
  await setLanguage(page, 'ja');
  await page.locator('.error-words', { hasText: 'ファイルが大きすぎます。 50 MB まで。' }).waitFor();
  await page.evaluate(() => {
    globalThis.put.labels = { error: ({ code, limit, actual }) => `${code}: ${limit} < ${actual}` };
  });
  assert.equal(await words.textContent(), 'file-too-large: 50000000 < 60000000');
  assert.equal(await page.locator('.choose').textContent(), 'ファイルを選択', 'the other labels stay');
  await close();
});

test('an element can have its own language, and a page without a language has English', async () => {
  const { page, troubles, close } = await openPage(server);
  await page.evaluate(() => {
    document.querySelector('direct-put').lang = 'es';
  });
  await page.getByRole('button', { name: 'Elegir archivos' }).waitFor();
  await page.evaluate(() => {
    document.querySelector('direct-put').lang = 'no language';
    document.documentElement.removeAttribute('lang');
  });
  await page.getByRole('button', { name: 'Choose files' }).waitFor();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.alloc(2_000) });
  await ended(rowOf(page));
  assert.match(await rowOf(page).textContent(), /2 kB/);
  assert.deepEqual(troubles, [], 'numbers are shown although the language is none');
  await close();
});

test('from right to left the element is a mirror image, on a desktop and a phone', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 2 * MIB });
  const { page, troubles, close } = await openPage(server);
  await setLanguage(page, 'ar');
  await page.evaluate(() => {
    const put = document.querySelector('direct-put');
    for (const name of ['total', 'actions', 'folders', 'details']) put.toggleAttribute(name, true);
    put.maxBytes = 100_000_000;
  });
  await page.getByRole('button', { name: 'اختيار ملفات' }).waitFor();
  await page.setInputFiles('#file', [
    await makeFile('a.txt', 10),
    await makeFile('b.txt', 10),
    await makeFile('long-name-2026.bin', 60 * MIB),
  ]);
  await ended(rowOf(page, 0));
  await rowOf(page)
    .locator('.percent', { hasText: /\d|[٠-٩]/ })
    .waitFor();
  await rowOf(page).locator('.left', { hasText: /\S/ }).waitFor();
  await page.evaluate(`(() => { ${AXE} })()`);
  for (const width of [1000, 375]) {
    await page.setViewportSize({ width, height: 800 });
    const seen = await page.evaluate(() => {
      const root = document.querySelector('direct-put').shadowRoot;
      const row = root.querySelector('.upload:last-child');
      const box = (part) => row.querySelector(part).getBoundingClientRect();
      return {
        icon: row.getBoundingClientRect().right - box('.icon').right,
        name: box('.icon').left - box('.name').right,
        buttons: box('.pause').left > box('.cancel').left,
        figures: box('.percent').left > box('.left').left,
        overflow: document.documentElement.scrollWidth - innerWidth,
      };
    });
    assert.ok(seen.icon < 20, `the icon is ${seen.icon} px from the right`);
    assert.ok(seen.name > 0 && seen.name < 20, `the name is ${seen.name} px from the icon`);
    assert.deepEqual([seen.buttons, seen.figures, seen.overflow <= 0], [true, true, true]);
    const violations = await page.evaluate(async () =>
      (await globalThis.axe.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
      ),
    );
    assert.deepEqual(violations, []);
    await screenshot(page, `rtl-${width}`);
  }
  assert.match(await page.locator('#summary').textContent(), /جارٍ رفع 3 من 3/);
  assert.deepEqual(troubles, []);
  await close();
});
