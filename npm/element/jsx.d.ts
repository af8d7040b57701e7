// Types of `<direct-put>` in the templates of frameworks. Written by hand, because it augments modules that may not be
// installed. `tools/package.sh` copies this file into the package.
import type { ChecksumAlgorithm } from '../types.js';
import type { DirectPut } from './direct-put.js';
import type { DirectPutEventMap } from './events.js';
import type { Labels } from './labels.js';

/** The attributes of `<direct-put>`; see `docs/element.md`. */
export interface DirectPutAttributes extends DirectPutListeners {
  /** The address of the signing API. */
  endpoint?: string | undefined;
  /** The name under which the form submits the keys of the objects. */
  name?: string | undefined;
  /** Whether the form needs at least one stored file. */
  required?: boolean | undefined;
  /** Whether the element is disabled and accepts no files. */
  disabled?: boolean | undefined;
  /** Whether the element accepts several files. */
  multiple?: boolean | undefined;
  /** Whether the element has a button that chooses a folder. */
  folders?: boolean | undefined;
  /** Whether rows have a button that shows the phases of the upload, and the key and checksum of the object. */
  details?: boolean | undefined;
  /** Whether the element accepts files pasted into the page. */
  paste?: boolean | undefined;
  /** Whether a list of several files has buttons for all of them; if set to true, also a single file. Default: true. */
  actions?: boolean | 'true' | 'false' | undefined;
  /** Whether a list of several files shows their total progress; if set to true, also a single file. Default: true. */
  total?: boolean | 'true' | 'false' | undefined;
  /** Whether uploads start without a click on the start button. Default: true. */
  autostart?: boolean | 'true' | 'false' | undefined;
  /** The camera that a phone opens: `user` or `environment`. */
  capture?: string | undefined;
  /** `input`: use the dialog of `<input type="file">` in every browser. */
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
  /** A property: further options of the uploader. React 19, Vue and Svelte set properties that the element has. */
  options?: DirectPut['options'] | undefined;
  /** A property: a function that returns the options of an upload for its file. */
  uploadOptions?: DirectPut['uploadOptions'];
  /** A property: texts that replace those of the page's language. */
  labels?: Partial<Labels> | undefined;
  /** A property: an uploader that the page made. */
  uploader?: DirectPut['uploader'] | undefined;
}

/** The event handlers, named as React 19, Svelte 5 and Preact name them: `onstored={…}`. */
export type DirectPutListeners = {
  [K in keyof DirectPutEventMap as `on${K}`]?: ((event: DirectPutEventMap[K]) => void) | undefined;
};

/** Other attributes that Vue, Svelte and Solid allow on every element. */
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

// One line each, because `@ts-ignore` covers only the next line. It hides the error if the framework is not installed.
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
