// `<direct-put>` in the templates of frameworks: what TypeScript has to know so that they take it. Written by hand, since it
// adds to modules that need not be installed; `tools/package.sh` copies it.
import type { ChecksumAlgorithm } from '../types.js';
import type { DirectPut } from './direct-put.js';
import type { DirectPutEventMap } from './events.js';
import type { Labels } from './labels.js';

/** The attributes of `<direct-put>`; see `docs/element.md`. */
export interface DirectPutAttributes extends DirectPutListeners {
  /** The address of the signing API. */
  endpoint?: string | undefined;
  /** The name under which the form sends keys. */
  name?: string | undefined;
  /** Whether the form needs at least one stored file. */
  required?: boolean | undefined;
  /** Whether it takes no files. */
  disabled?: boolean | undefined;
  /** Whether it takes several files. */
  multiple?: boolean | undefined;
  /** Whether there is a second button, for folders. */
  folders?: boolean | undefined;
  /** Whether rows show phases, key and checksum. */
  details?: boolean | undefined;
  /** Whether it takes files that are pasted into the page. */
  paste?: boolean | undefined;
  /** Whether there are buttons that act on all files. */
  actions?: boolean | undefined;
  /** Whether it shows the progress of all files together. */
  total?: boolean | undefined;
  /** Whether uploads begin by themselves. Default: true. */
  autostart?: boolean | 'true' | 'false' | undefined;
  /** The camera that phones open: `user` or `environment`. */
  capture?: string | undefined;
  /** `input` for the dialog of file inputs in every browser. */
  'file-picker'?: string | undefined;
  /** As `accept` of `Uploader`. */
  accept?: string | undefined;
  /** As `minBytes`, in bytes. */
  'min-bytes'?: number | string | undefined;
  /** As `maxBytes`, in bytes. */
  'max-bytes'?: number | string | undefined;
  /** As `maxFiles`. */
  'max-files'?: number | string | undefined;
  /** As `checksum`. */
  checksum?: ChecksumAlgorithm | undefined;
  /** A property: what else the uploader is told. React 19, Vue and Svelte set the properties that an element has. */
  options?: DirectPut['options'] | undefined;
  /** A property: what each upload is told, by its file. */
  uploadOptions?: DirectPut['uploadOptions'];
  /** A property: its words; those that are set replace the page's language's. */
  labels?: Partial<Labels> | undefined;
  /** A property: an uploader of the page's own. */
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
