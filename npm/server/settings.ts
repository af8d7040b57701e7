// Maps the options of `createUploads` to settings of the Wasm module, which have the names of the Lambda function's
// environment variables.
import { localError } from '../errors.js';
import { checkNames } from '../page/options.js';
import type { UploadsOptions } from './types.js';

/** The setting of each option. */
const SETTINGS = {
  bucket: 'BUCKET',
  region: 'AWS_REGION',
  endpoint: 'S3_ENDPOINT',
  publicUrls: 'S3_PUBLIC_URLS',
  lanes: 'LANES',
  bucketOwner: 'BUCKET_OWNER',
  tokenKey: 'TOKEN_KEY',
  previousTokenKey: 'PREVIOUS_TOKEN_KEY',
  maxFileBytes: 'MAX_FILE_BYTES',
  allowedTypes: 'ALLOWED_TYPES',
  allowedChecksums: 'ALLOWED_CHECKSUMS',
  downloadNames: 'DOWNLOAD_NAMES',
  minUrlSeconds: 'URL_MIN_SECONDS',
  maxUrlSeconds: 'URL_MAX_SECONDS',
  tokenSeconds: 'TOKEN_SECONDS',
} as const satisfies { readonly [option in keyof UploadsOptions]?: string };

/** Options that the module does not get. */
const OWN = ['credentials', 'authorize', 'path', 'allowOrigins', 'onCompleted', 'onAnswered'] as const;

/** Returns the settings as JSON. Throws `UploadError` with `invalid-option` for an unknown option. */
export function settingsOf(options: UploadsOptions): string {
  checkNames(options, [...Object.keys(SETTINGS), ...OWN]);
  const settings: Record<string, string> = {};
  for (const [option, setting] of Object.entries(SETTINGS)) {
    const value = options[option as keyof typeof SETTINGS];
    if (value !== undefined) settings[setting] = String(value);
  }
  if (options.onCompleted) settings.SINGLE_PUT_BYTES = '0';
  return JSON.stringify(settings);
}

/** Returns the error about a setting that the module refuses, with the name of its option. `json` is the module's. */
export function settingError(json: string): Error {
  const { variable, expected, isMissing } = JSON.parse(json);
  const option = Object.entries(SETTINGS).find(([, setting]) => setting === variable)?.[0] ?? variable;
  return wrong(option, expected, isMissing);
}

/** Returns the error about an option that is missing or wrong. */
export function wrong(option: string, expected: string, isMissing = false): Error {
  return localError('invalid-option', `${option} ${isMissing ? 'is missing' : 'is wrong'}: expected ${expected}`);
}
