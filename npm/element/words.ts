// The words of one language. `speak` makes labels of them, with numbers as the page's language writes them.
import type { ErrorCode } from '../types.js';
import type { Labels } from './labels.js';

/** Labels that are a text, and no function. */
type Text = { [K in keyof Labels]: Labels[K] extends string ? K : never }[keyof Labels];

/** A text by the number in it (Unicode CLDR, plural categories). */
type Plural = { readonly [rule in Intl.LDMLPluralRule]?: string } & { readonly other: string };

/** What is in braces is replaced. */
export interface Words extends Readonly<Pick<Labels, Text | 'phases' | 'facts'>> {
  /** The language itself (BCP 47), for plurals. */
  readonly language: string;
  /** `{time}` is a number with its unit. */
  readonly timeLeft: string;
  /** In place of that when less than a second is left, and when all has left and the last answer is waited for. */
  readonly finishing: string;
  /** Of an unfinished upload: `{size}`, `{share}`, and `{age}` such as `5 min. ago`. */
  readonly begun: string;
  /** `{part}`, `{code}`, and `{time}` until it is done again. */
  readonly retryingPart: string;
  /** The same of a call of the API. */
  readonly retryingCall: string;
  /** `{stored}` and `{all}`; its form is that of `all`. */
  readonly filesStored: Plural;
  /** After that: `{failed}`. */
  readonly filesFailed: Plural;
  /** `{size}`. */
  readonly atLeast: string;
  /** `{size}`. */
  readonly atMost: string;
  /** `{count}`. */
  readonly filesAtMost: Plural;
  /** Ends a sentence. */
  readonly stop: string;
  /** What `image/*` and the like are called. */
  readonly kinds: { readonly [kind: string]: string };
  /** `{name}`. */
  readonly isStored: string;
  /** What has happened, by code. In English the errors say it themselves. */
  readonly errors: { readonly [code in ErrorCode]?: string };
  /** What has happened, for all other codes; empty for the error's own words. */
  readonly otherError: string;
  /** What can be done about it, by code. */
  readonly advices: { readonly [code in ErrorCode]?: string };
  /** What can be done about all others. */
  readonly otherAdvice: string;
}
