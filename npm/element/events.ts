// Types of the events of `<direct-put>`, and the class that it extends.
import type { EventDetails, UploadDetail } from '../page/events.js';
import type { Upload } from '../types.js';
import type { Reflected } from './attributes.js';

/** The upload that an event of the element is about. */
export interface ElementDetail extends UploadDetail {
  /** The file's path in the folder that the user chose or dropped, such as `photos/2026/a.jpg`; empty without a folder. */
  path: string;
}

/** The detail of `failed`. A file that could not be opened, or was above `max-files`, has no upload. */
export interface FailedDetail extends Omit<ElementDetail, 'upload'>, Pick<EventDetails, 'error'> {
  /** The upload, as `upload` or `resume` returned it; undefined if the file had none. */
  upload: Upload | undefined;
}

/** The events of `<direct-put>`: those of `Uploader`, and `change`. Only `change` bubbles. */
export interface DirectPutEventMap {
  /** An upload has started. */
  start: CustomEvent<ElementDetail>;
  /** An upload has made progress. */
  progress: CustomEvent<ElementDetail & Pick<EventDetails, 'progress'>>;
  /** A PUT or a call of the API failed and will be retried. */
  retry: CustomEvent<ElementDetail & Pick<EventDetails, 'retry'>>;
  /** S3 has confirmed the object. */
  stored: CustomEvent<ElementDetail & Pick<EventDetails, 'result'>>;
  /** An upload has failed, or was cancelled: then the code is `aborted`. */
  failed: CustomEvent<FailedDetail>;
  /** The value has changed. */
  change: Event;
}

/** The events of every element. */
export type Others = Omit<HTMLElementEventMap, keyof DirectPutEventMap>;
/** An event listener: a function, or an object with `handleEvent`. */
export type Listener<E> =
  | ((event: E) => void)
  | {
      /** Called with each event. */
      handleEvent(event: E): void;
    }
  | null;

/** An `HTMLElement` with these events and the properties that reflect attributes. */
export interface DirectPutBase extends HTMLElement, Reflected {
  /** Adds a listener, as `EventTarget` does. */
  addEventListener<K extends keyof DirectPutEventMap>(
    type: K,
    listener: Listener<DirectPutEventMap[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Adds a listener, as `EventTarget` does. */
  addEventListener<K extends keyof Others>(
    type: K,
    listener: Listener<Others[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Adds a listener, as `EventTarget` does. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Removes a listener, as `EventTarget` does. */
  removeEventListener<K extends keyof DirectPutEventMap>(
    type: K,
    listener: Listener<DirectPutEventMap[K]>,
    options?: boolean | EventListenerOptions,
  ): void;
  /** Removes a listener, as `EventTarget` does. */
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** `HTMLElement`; on a server, which has none, an empty class. */
export const DirectPutBase = (globalThis.HTMLElement ?? class {}) as unknown as { new (): DirectPutBase };
