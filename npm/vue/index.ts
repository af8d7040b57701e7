// The sub-export `directput/vue`: a composable for components that upload files.
import { type ComputedRef, computed, onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import type { UploaderOptions } from '../index.js';
import {
  type AnyUploader,
  type ListMethods,
  methodsOf,
  type Total,
  totalOf,
  type UploadItem,
  UploadList,
} from '../list/index.js';

export type { ListMethods, Total, UploadItem, UploadState } from '../list/index.js';

/** The return value of `useUpload`. */
export interface UseUpload extends ListMethods {
  /** All uploads, in the order in which they were added. */
  items: Readonly<ShallowRef<readonly UploadItem[]>>;
  /** The size, progress, speed and time left of all uploads together. */
  total: ComputedRef<Total>;
  /** The list. Its `uploader` has calls such as `listResumable()`. */
  list: UploadList;
}

/**
 * Uploads while the component is mounted. If `source` is an `Uploader`, uploads continue after the component unmounts.
 * If `source` is a list, uploads continue until the last component that shares the list unmounts.
 */
export function useUpload(source: UploadList | AnyUploader | UploaderOptions): UseUpload {
  const list = source instanceof UploadList ? source : new UploadList(source);
  const items = shallowRef(list.items);
  const unsubscribe = list.subscribe((now) => {
    items.value = now;
  });
  const letGo = list.hold();
  onScopeDispose(() => {
    unsubscribe();
    letGo();
  });
  return { items, total: computed(() => totalOf(items.value)), list, ...methodsOf(list) };
}
