// `<direct-put>` in the templates of frameworks: what TypeScript has to know so that they take it. Written by hand, since it
// adds to modules that need not be installed; `tools/package.sh` copies it.
import type { ChecksumAlgorithm } from '../types.js';
import type { DirectPut } from './direct-put.js';
import type { DirectPutEventMap } from './events.js';
import type { Labels } from './labels.js';

/** The attributes of `<direct-put>`; see `docs/element.md`. */
export interface DirectPutAttributes extends DirectPutListeners {
  endpoint?: string | undefined;
  name?: string | undefined;
  required?: boolean | undefined;
  disabled?: boolean | undefined;
  multiple?: boolean | undefined;
  folders?: boolean | undefined;
  details?: boolean | undefined;
  paste?: boolean | undefined;
  actions?: boolean | undefined;
  total?: boolean | undefined;
  autostart?: boolean | 'true' | 'false' | undefined;
  capture?: string | undefined;
  'file-picker'?: 'input' | undefined;
  accept?: string | undefined;
  'min-bytes'?: number | string | undefined;
  'max-bytes'?: number | string | undefined;
  'max-files'?: number | string | undefined;
  checksum?: ChecksumAlgorithm | undefined;
  /** A property, as those below: React 19, Vue and Svelte set those that an element has. */
  options?: DirectPut['options'] | undefined;
  uploadOptions?: DirectPut['uploadOptions'];
  labels?: Partial<Labels> | undefined;
  uploader?: DirectPut['uploader'] | undefined;
}

/** Its events, as React 19, Svelte 5 and Preact listen to them: `onstored={…}`. */
export type DirectPutListeners = {
  [K in keyof DirectPutEventMap as `on${K}`]?: ((event: DirectPutEventMap[K]) => void) | undefined;
};

/** What Vue, Svelte and Solid take besides: what every element has, in their own words. */
interface Others {
  [attribute: string]: unknown;
}

declare global {
  namespace JSX {
    interface IntrinsicElements {
      'direct-put': DirectPutAttributes & Others;
    }
  }
  namespace svelteHTML {
    interface IntrinsicElements {
      'direct-put': DirectPutAttributes & Others;
    }
  }
}

// One line each: what follows is wrong for TypeScript where a framework is not installed, and is ignored there.
// biome-ignore format: see above
// @ts-ignore
declare module 'react' { namespace JSX { interface IntrinsicElements { 'direct-put': DirectPutAttributes & Omit<HTMLAttributes<DirectPut>, keyof DirectPutAttributes> & ClassAttributes<DirectPut> } } }
// biome-ignore format: see above
// @ts-ignore
declare module 'preact' { namespace JSX { interface IntrinsicElements { 'direct-put': DirectPutAttributes & Omit<HTMLAttributes<DirectPut>, keyof DirectPutAttributes> } } }
// biome-ignore format: see above
// @ts-ignore
declare module 'solid-js/jsx-runtime' { namespace JSX { interface IntrinsicElements { 'direct-put': DirectPutAttributes & Others } } }
// biome-ignore format: see above
// @ts-ignore
declare module 'vue' { interface GlobalComponents { 'direct-put': new () => { $props: DirectPutAttributes & Others } } }
