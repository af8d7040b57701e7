// Chooses the language of `<direct-put>`: that of its page. Languages other than English are separate files, loaded on demand.
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

/** The labels of an element, in the element's language. */
export class Language {
  labels: Labels = speak(ENGLISH, 'en');
  /** Language tag (BCP 47). */
  tag = 'en';
  #spoken = this.labels;
  #own: Partial<Labels> = {};
  readonly #element: Element;
  readonly #changed: () => void;

  /** Calls `changed` when the labels change. */
  constructor(element: Element, changed: () => void) {
    this.#element = element;
    this.#changed = changed;
  }

  /** Follows changes of the page's language until the signal aborts. */
  follow(signal: AbortSignal): void {
    const page = new MutationObserver(() => this.listen());
    page.observe(document.documentElement, { attributeFilter: ['lang'] });
    signal.addEventListener('abort', () => page.disconnect());
    this.listen();
  }

  /** Loads the labels again if the element's language has changed. */
  listen(): void {
    const language = languageOf(this.#element);
    if (language === this.tag) return;
    this.tag = language;
    // Falls back to English words if the file of the language can't be loaded.
    void wordsOf(language)
      .catch(() => ENGLISH)
      .then((words) => {
        // The language may have changed again while this one was loaded.
        if (language !== this.tag) return;
        this.#spoken = speak(words, language);
        this.set(this.#own);
      });
  }

  /** Replaces some labels in every language. */
  set(own: Partial<Labels>): void {
    this.#own = own;
    this.labels = { ...this.#spoken, ...own };
    this.#changed();
  }
}

/** Returns an element's language (BCP 47): its own `lang`, or that of its nearest ancestor. Default: `en`. */
function languageOf(element: Element): string {
  let at: Element | undefined = element;
  try {
    while (at) {
      const { lang } = (at.closest('[lang]') ?? {}) as HTMLElement;
      if (lang) return `${new Intl.Locale(lang)}`;
      at = (at.getRootNode() as Partial<ShadowRoot>).host;
    }
  } catch {
    // `lang` is no language tag.
  }
  return 'en';
}

/** Returns the words of a language, or the English ones if there is no translation. */
async function wordsOf(language: string): Promise<Words> {
  const [primary = ''] = language.toLowerCase().split('-');
  return (await LOCALES[primary]?.())?.default ?? ENGLISH;
}
