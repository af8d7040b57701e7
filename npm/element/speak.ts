// Makes labels from the words of a language, with numbers formatted for the page's language.
import type { UploadError } from '../errors.js';
import type { Labels } from './labels.js';
import type { Words } from './words.js';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
/** Units of time, each with its length in seconds. */
const TIMES = [
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;
/** HTTP statuses with which S3 and the API ask to slow down. */
const BUSY = [429, 503];
/** A unit is used from this amount on, such as 1.5 minutes; smaller amounts use the next smaller unit. */
const ENOUGH = 1.5;

/** Returns the labels of a language. Numbers are formatted for `locale`. */
export function speak(words: Words, locale: string): Labels {
  const formats = new Map<string, Intl.NumberFormat>();
  const format = (value: number, options: Intl.NumberFormatOptions): string => {
    const key = JSON.stringify(options);
    // Cached: making a format takes 0.1 ms, and every row needs some.
    const own = formats.get(key) ?? new Intl.NumberFormat(locale, options);
    formats.set(key, own);
    return own.format(value);
  };
  const number = (value: number): string => format(value, {});
  const percent = (share: number): string => format(Math.floor(share * 100) / 100, { style: 'percent' });
  const quantity = (bytes: number, per = ''): string => {
    const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
    const value = bytes / 1000 ** power;
    const unitDisplay = power === 0 && !per ? 'long' : 'short';
    const maximumFractionDigits = power === 0 || value >= 100 ? 0 : 1;
    return format(value, { style: 'unit', unit: UNITS[power] + per, unitDisplay, maximumFractionDigits });
  };
  const bytes = (bytes: number): string => quantity(bytes);
  const time = (seconds: number): string => {
    const [unit, size] = unitOf(seconds);
    const maximumFractionDigits = unit === 'hour' ? 1 : 0;
    return format(seconds / size, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits });
  };
  const age = (seconds: number): string => {
    const [unit, size] = unitOf(seconds);
    const since = unit === 'second' ? 0 : -Math.round(seconds / size);
    return new Intl.RelativeTimeFormat(words.language, { numeric: 'auto', style: 'short' }).format(since, unit);
  };
  const rules = new Intl.PluralRules(words.language);
  const plural = (forms: Words['filesStored'], count: number): string => forms[rules.select(count)] ?? forms.other;
  const filesAtMost = (count: number): string => fill(plural(words.filesAtMost, count), { count: number(count) });
  const withFailed = (text: string, failed: number): string =>
    failed ? `${text} · ${fill(plural(words.filesFailed, failed), { failed: number(failed) })}` : text;
  const error = ({ code, message, limit }: UploadError): string => {
    const what = words.errors[code] ?? (words.otherError || message);
    if (limit === undefined) return what;
    const allowed = {
      'file-too-large': () => fill(words.atMost, { size: bytes(limit) }),
      'file-too-small': () => fill(words.atLeast, { size: bytes(limit) }),
      'too-many-files': () => filesAtMost(limit),
    }[code as string];
    return allowed ? `${what} ${allowed()}${words.stop}` : what;
  };
  return {
    ...words,
    bytes,
    percent,
    error,
    speed: (bytesPerSecond) => quantity(bytesPerSecond, '-per-second'),
    timeLeft: (seconds) => (seconds < 1 ? words.finishing : fill(words.timeLeft, { time: time(seconds) })),
    begun: ({ size, confirmedBytes, startedAt }) =>
      fill(words.begun, {
        size: bytes(size),
        share: percent(confirmedBytes / size),
        age: age((Date.now() - startedAt) / 1000),
      }),
    retrying: ({ status, waitMs }) =>
      fill(BUSY.includes(status) ? words.retryingBusy : words.retryingIn, { time: time(Math.ceil(waitMs / 1000)) }),
    retried: ({ part, code, waitMs }) =>
      fill(part === null ? words.retryingCall : words.retryingPart, {
        part: number(part ?? 0),
        code,
        time: time(Math.ceil(waitMs / 1000)),
      }),
    advice: ({ code }) => words.advices[code] ?? words.otherAdvice,
    summary: (stored, failed, all) =>
      withFailed(fill(plural(words.filesStored, all), { stored: number(stored), all: number(all) }), failed),
    uploading: (at, failed, all) => withFailed(fill(words.uploadingOf, { at: number(at), all: number(all) }), failed),
    bytesOf: (sent, all) => fill(words.sentOf, { sent: bytes(sent), size: bytes(all) }),
    limits: ({ accept = '', minBytes, maxBytes, maxFiles }) => {
      const kinds = accept.split(',').map((rule) => kindOf(rule.trim(), words.kinds));
      return [
        ...new Set(kinds),
        minBytes ? fill(words.atLeast, { size: bytes(minBytes) }) : '',
        maxBytes ? fill(words.atMost, { size: bytes(maxBytes) }) : '',
        maxFiles ? filesAtMost(maxFiles) : '',
      ]
        .filter(Boolean)
        .join(' · ');
    },
    announce: {
      progress: (name, share) => `${name}: ${percent(share)}`,
      stored: (name) => fill(words.isStored, { name }),
      failed: (name, message) => `${name}: ${message}`,
    },
  };
}

const unitOf = (seconds: number): (typeof TIMES)[number] =>
  TIMES.find(([, size]) => seconds >= size * ENOUGH) ?? ['second', 1];

/** Replaces each `{name}` in a text with its value. */
const fill = (text: string, values: Record<string, string>): string =>
  text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

/** Returns a name for a rule of `accept`: `PDF` for `.pdf` and `application/pdf`, a translated word for `image/*`. */
function kindOf(rule: string, kinds: Words['kinds']): string {
  const [first = '', second] = rule.split('/');
  if (second === '*') return kinds[first] ?? '';
  return (second ?? first).replace(/^\.|^.*[.-]|\+.*$/g, '').toUpperCase();
}
