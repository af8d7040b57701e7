// The addresses of the worker's script and of the Wasm module: beside the entry, set by the page, or inlined.
import type { Files } from '../inlined.js';

/** Where the package's other two files are, if not beside its entry. */
export interface Assets {
  /** The address of `worker.js`. From another origin it is loaded through a blob, which a policy has to allow. */
  workerUrl?: string | URL;
  /** The address of `directput_bg.wasm`. From another origin it needs CORS. */
  wasmUrl?: string | URL;
  /** Loads both from JavaScript, in place of files: what `directput/bundled` sets. @internal */
  inlined?: () => Promise<Files>;
}

/** What is used here of the browser's Trusted Types (W3C, "Trusted Types"); TypeScript does not know them yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(input: string): string };
}

/** The policy's name, which a page that enforces them has to allow: `trusted-types directput`. */
const POLICY = 'directput';

let assets: Assets = {};
let scriptUrl = '';

/** The policy makes the worker's address and no other, whatever it is given. A page may allow each name once. */
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Sets where the package's files are, for every `Uploader` that is made later. */
export function init(where: Assets): void {
  assets = { ...assets, ...where };
}

/** The address of the Wasm module. */
export function wasmUrl(): string {
  return whole(assets.wasmUrl) ?? beside(new URL('./directput_bg.wasm', import.meta.url));
}

/** The address of `worker.js`. */
export function workerFile(): string {
  // Bundlers find this form, and put the file beside what they make: as it is, so that it also starts from another origin.
  return whole(assets.workerUrl) ?? beside(new URL('./worker.js', import.meta.url));
}

/** What loads both from JavaScript, if the page wants no files. */
export function chosenInlined(): Assets['inlined'] {
  return assets.inlined;
}

/** The address of a script that is the worker's, as the page may take it. */
export function trusted(href: string): string {
  // Browsers start no worker from another origin, but one that imports from there.
  const { origin } = globalThis.location;
  scriptUrl = new URL(href).origin === origin ? href : blobOf(`import ${JSON.stringify(href)};`);
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy(POLICY, { createScriptURL: () => scriptUrl });
  return policy?.createScriptURL('') ?? scriptUrl;
}

/** Makes a script an address. */
export function blobOf(script: BlobPart): string {
  return URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
}

function whole(address: string | URL | undefined): string | undefined {
  return address && new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}

/** Turbopack has paths in place of addresses. */
function beside({ href }: URL): string {
  return new URL(href, globalThis.location?.href).href;
}
