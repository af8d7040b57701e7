// Helpers for tests of `<direct-put>` in a form.
import { join } from 'node:path';

/** Page with a form that has the element. */
export const FORM = ['--www', join(import.meta.dirname, 'element')];

/** Runs in the page with its element and its form. */
export const inPage = (page, run, argument) =>
  page.evaluate(
    `((put, form, argument) => (${run})(put, form, argument))(
      document.querySelector('direct-put'), document.forms[0], ${JSON.stringify(argument)})`,
  );

/** Returns a small text file in Playwright's form. */
export const small = (name, text = name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
