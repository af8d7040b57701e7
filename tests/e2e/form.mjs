// Helpers for tests of `<direct-put>` in a form.
import { join } from 'node:path';

/** Arguments of the server that serve a page with the element in a form. */
export const FORM = ['--www', join(import.meta.dirname, 'element')];

/** Runs a function in the page, with the page's element, its form and `argument`. */
export const inPage = (page, run, argument) =>
  page.evaluate(
    `((put, form, argument) => (${run})(put, form, argument))(
      document.querySelector('direct-put'), document.forms[0], ${JSON.stringify(argument)})`,
  );

/** Returns a small text file in Playwright's format. */
export const small = (name, text = name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
