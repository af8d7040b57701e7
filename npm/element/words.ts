// The type of the words of one language. `speak` makes labels from them, with numbers formatted for the page's language.
import type { ErrorCode } from '../types.js';
import type { Labels } from './labels.js';

/** Names of the labels that are texts, not functions. */
type Text = { [K in keyof Labels]: Labels[K] extends string ? K : never }[keyof Labels];

/** A text for each plural category (Unicode CLDR). */
type Plural = { readonly [rule in Intl.LDMLPluralRule]?: string } & { readonly other: string };

/** The words of one language. `speak` replaces names in braces, such as `{time}`. */
export interface Words extends Readonly<Pick<Labels, Text | 'phases' | 'facts'>> {
  /** The language tag (BCP 47), for plural rules. */
  readonly language: string;
  /** `{time}`: a number with its unit. */
  readonly timeLeft: string;
  /** Replaces `timeLeft` when less than 1 s is left, also while the last response is outstanding. */
  readonly finishing: string;
  /** Describes an unfinished upload: `{size}`, `{share}`, and `{age}` such as `5 min. ago`. */
  readonly begun: string;
  /** The server asked to slow down: `{time}` until the retry. */
  readonly retryingBusy: string;
  /** Something else is retried: `{time}` until the retry. */
  readonly retryingIn: string;
  /** A PUT is retried: `{part}`, `{code}`, and `{time}` until the retry. */
  readonly retryingPart: string;
  /** A call of the API is retried: `{code}` and `{time}`. */
  readonly retryingCall: string;
  /** `{stored}` and `{all}`; the number `all` selects the plural form. */
  readonly filesStored: Plural;
  /** During uploads: `{at}` and `{all}`. */
  readonly uploadingOf: string;
  /** Bytes that were sent, and those of all files: `{sent}` and `{size}`. */
  readonly sentOf: string;
  /** Follows `filesStored` or `uploadingOf`: `{failed}`. */
  readonly filesFailed: Plural;
  /** A limit: `{size}`. */
  readonly atLeast: string;
  /** A limit: `{size}`. */
  readonly atMost: string;
  /** A limit: `{count}`. */
  readonly filesAtMost: Plural;
  /** The full stop of the language. */
  readonly stop: string;
  /** Names of `image/*` and similar types, by their first half. */
  readonly kinds: { readonly [kind: string]: string };
  /** Announces a stored file: `{name}`. */
  readonly isStored: string;
  /** Messages by error code. For English this is empty: `speak` uses the error's own message. */
  readonly errors: { readonly [code in ErrorCode]?: string };
  /** Message for all other codes; empty to use the error's own message. */
  readonly otherError: string;
  /** Advice by error code. */
  readonly advices: { readonly [code in ErrorCode]?: string };
  /** Advice for all other codes. */
  readonly otherAdvice: string;
}
