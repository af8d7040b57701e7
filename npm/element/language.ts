// Which language `<direct-put>` speaks: that of its page. All but English are files of their own, loaded when needed.
import type { Labels } from './labels.js';
import ENGLISH from './locales/en.js';
import { speak } from './speak.js';
import type { Words } from './words.js';

const LOCALES: { readonly [language: string]: () => Promise<{ default: Words }> } = {
  ar: () => import('./locales/ar.js'),
  de: () => import('./locales/de.js'),
  es: () => import('./locales/es.js'),
  fr: () => import('./locales/fr.js'),
  ja: () => import('./locales/ja.js'),
};

/** The words of an element, in the language that it is in. */
export class Language {
  labels: Labels = speak(ENGLISH, 'en');
  /** By its tag (BCP 47). */
  tag = 'en';
  #spoken = this.labels;
  #own: Partial<Labels> = {};
  readonly #element: Element;
  readonly #changed: () => void;

  /** Calls back when there are other words. */
  constructor(element: Element, changed: () => void) {
    this.#element = element;
    this.#changed = changed;
  }

  /** Follows the page's language, until the signal. */
  follow(signal: AbortSignal): void {
    const page = new MutationObserver(() => this.listen());
    page.observe(document.documentElement, { attributeFilter: ['lang'] });
    signal.addEventListener('abort', () => page.disconnect());
    this.listen();
  }

  /** Looks which language the element is in. */
  listen(): void {
    const language = languageOf(this.#element);
    if (language === this.tag) return;
    this.tag = language;
    const spoken = wordsOf(language).then((words) => speak(words, language));
    // What is no language throws where its numbers are to be written.
    void spoken
      .catch(() => speak(ENGLISH, 'en'))
      .then((spoken) => {
        // It may have become another meanwhile.
        if (language !== this.tag) return;
        this.#spoken = spoken;
        this.set(this.#own);
      });
  }

  /** Replaces some words in every language. */
  set(own: Partial<Labels>): void {
    this.#own = own;
    this.labels = { ...this.#spoken, ...own };
    this.#changed();
  }
}

/** The language that an element is in, by its `lang` or that of what it stands in (BCP 47). */
function languageOf(element: Element): string {
  for (let at: Element | null = element; at; ) {
    const { lang } = (at.closest('[lang]') ?? {}) as HTMLElement;
    if (lang) return lang;
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : null;
  }
  return 'en';
}

/** The words of a language; the English ones where there are none. */
async function wordsOf(language: string): Promise<Words> {
  const [primary = ''] = language.toLowerCase().split('-');
  return (await LOCALES[primary]?.())?.default ?? ENGLISH;
}
