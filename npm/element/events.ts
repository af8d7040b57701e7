// The events of `<direct-put>`, and the element that it extends, in types.
import type { EventDetails, UploadDetail } from '../page/events.js';
import type { Upload } from '../types.js';
import type { Reflected } from './attributes.js';

/** Which upload an event of the element is about. */
export interface ElementDetail extends UploadDetail {
  /** Where the file lies in the folder that was chosen or dropped, such as `photos/2026/a.jpg`; empty without one. */
  path: string;
}

/** The same of a file that may have had no upload: one that could not be opened, or that was one too many. */
export interface FailedDetail extends Omit<ElementDetail, 'upload'>, Pick<EventDetails, 'error'> {
  /** What `upload` or `resume` has returned, if the file had one. */
  upload: Upload | undefined;
}

/** The events of `<direct-put>`, as those of its `Uploader`, and `change`. None of them bubbles but `change`. */
export interface DirectPutEventMap {
  /** An upload was begun. */
  start: CustomEvent<ElementDetail>;
  /** It has moved. */
  progress: CustomEvent<ElementDetail & Pick<EventDetails, 'progress'>>;
  /** Something of it is done again. */
  retry: CustomEvent<ElementDetail & Pick<EventDetails, 'retry'>>;
  /** S3 has confirmed its object. */
  stored: CustomEvent<ElementDetail & Pick<EventDetails, 'result'>>;
  /** It has failed, or was cancelled: then the code is `aborted`. */
  failed: CustomEvent<FailedDetail>;
  /** The value is another. */
  change: Event;
}

/** The events that every element has. */
export type Others = Omit<HTMLElementEventMap, keyof DirectPutEventMap>;
/** What listens to an event: a function, or an object with one. */
export type Listener<E> =
  | ((event: E) => void)
  | {
      /** Is called with each event. */
      handleEvent(event: E): void;
    }
  | null;

/** An `HTMLElement` with these events and the properties that reflect attributes. */
export interface DirectPutBase extends HTMLElement, Reflected {
  /** Has events told, as `EventTarget` does. */
  addEventListener<K extends keyof DirectPutEventMap>(
    type: K,
    listener: Listener<DirectPutEventMap[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Has events told, as `EventTarget` does. */
  addEventListener<K extends keyof Others>(
    type: K,
    listener: Listener<Others[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Has events told, as `EventTarget` does. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Has them told no more. */
  removeEventListener<K extends keyof DirectPutEventMap>(
    type: K,
    listener: Listener<DirectPutEventMap[K]>,
    options?: boolean | EventListenerOptions,
  ): void;
  /** Has them told no more. */
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** On a server there is nothing to extend, and nothing to show. */
export const DirectPutBase = (globalThis.HTMLElement ?? class {}) as unknown as { new (): DirectPutBase };
