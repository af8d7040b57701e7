// The sub-export `directput/element`: defines `<direct-put>`.
import { DirectPut } from './direct-put.js';

export type { Reflected } from './attributes.js';
export { DirectPut } from './direct-put.js';
export type { DirectPutEventMap, ElementDetail, FailedDetail, Listener, Others } from './events.js';
export type { DirectPutAttributes, DirectPutListeners } from './jsx.js';
export type { Labels, Limits } from './labels.js';

declare global {
  interface HTMLElementTagNameMap {
    'direct-put': DirectPut;
  }
}

// A server has no registry of elements, and a page may bundle this module twice.
if (globalThis.customElements && !customElements.get('direct-put')) customElements.define('direct-put', DirectPut);
