// The URLs of the worker's script and of the Wasm module: beside the entry, set by the page, or inlined.
import type { Files } from '../inlined.js';

/** The URLs of the package's other two files, if they are not beside its entry. */
export interface Assets {
  /**
   * The URL of `worker.js`. A script of another origin loads through a `blob:` URL. The page's Content Security Policy
   * has to allow that.
   */
  workerUrl?: string | URL;
  /** The URL of `directput_bg.wasm`. Another origin has to allow the page by CORS. */
  wasmUrl?: string | URL;
  /** Loads both from JavaScript instead of files. `directput/bundled` sets this. @internal */
  inlined?: () => Promise<Files>;
}

/** Part of Trusted Types (W3C, "Trusted Types"), which TypeScript's DOM library lacks. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(input: string): string };
}

/** Name of the policy. A page that enforces Trusted Types has to allow it: `trusted-types directput`. */
const POLICY = 'directput';

let assets: Assets = {};
let scriptUrl = '';

/** Ignores its input and returns only the worker's URL. Created once, because a page may allow each name only once. */
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Sets the URLs of the package's files, for each `Uploader` made later. */
export function init(where: Assets): void {
  assets = { ...assets, ...where };
}

/** Returns the URL of the Wasm module. */
export function wasmUrl(): string {
  return whole(assets.wasmUrl) ?? beside(new URL('./directput_bg.wasm', import.meta.url));
}

/** Returns the URL of `worker.js`. */
export function workerFile(): string {
  // Bundlers recognise this form and copy the file unchanged, so that it can also start from another origin.
  return whole(assets.workerUrl) ?? beside(new URL('./worker.js', import.meta.url));
}

/** Returns the function that loads both from JavaScript, if the page uses `directput/bundled`. */
export function chosenInlined(): Assets['inlined'] {
  return assets.inlined;
}

/**
 * Returns a URL of the page's origin from which the worker can start. Where the browser has Trusted Types, the URL is a
 * `TrustedScriptURL`.
 */
export function trusted(href: string): string {
  // Browsers do not start a worker from another origin. A worker of the page's origin may import a script from there.
  const { origin } = globalThis.location;
  scriptUrl = new URL(href).origin === origin ? href : blobOf(`import ${JSON.stringify(href)};`);
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy(POLICY, { createScriptURL: () => scriptUrl });
  return policy?.createScriptURL('') ?? scriptUrl;
}

/** Returns a `blob:` URL of a script. */
export function blobOf(script: BlobPart): string {
  return URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
}

function whole(address: string | URL | undefined): string | undefined {
  return address && new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}

/** Returns an absolute URL: Turbopack's `URL` has only a path in `href`. */
function beside({ href }: URL): string {
  return new URL(href, globalThis.location?.href).href;
}
