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

// On a server there is no registry, and the same module may be bundled twice.
if (globalThis.customElements && !customElements.get('direct-put')) customElements.define('direct-put', DirectPut);
