// The sub-export `directput/react`: a hook for components that upload files, and the element as a component.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { UploaderOptions } from '../index.js';
import {
  type AnyUploader,
  isUploader,
  type ListMethods,
  methodsOf,
  type Total,
  totalOf,
  type UploadItem,
  UploadList,
} from '../list/index.js';

import { following } from './following.js';

export type { DirectPut as DirectPutElement } from '../element/index.js';
export type { ListMethods, Total, UploadItem, UploadState } from '../list/index.js';

export { DirectPut, type DirectPutHandlers, type DirectPutProps, type DirectPutReflected } from './direct-put.js';

/** The return value of `useUpload`. */
export interface UseUpload extends ListMethods {
  /** All uploads, in the order in which they were added. */
  items: readonly UploadItem[];
  /** The size, progress, speed and time left of all uploads together. */
  total: Total;
  /** The uploader, for calls such as `listResumable()`. Made on first access. */
  readonly uploader: AnyUploader;
}

/**
 * Uploads while the component is mounted. If an `<Activity>` hides the component and shows it again, the uploads
 * resume. Options are read at the first rendering. Functions in the options are always those of the latest rendering.
 *
 * If `source` is an `Uploader`, uploads continue after the component unmounts. If `source` is a list, uploads continue
 * until the last component that shares the list unmounts.
 */
export function useUpload(source: UploadList | AnyUploader | UploaderOptions): UseUpload {
  const latest = useRef(source);
  useEffect(() => {
    latest.current = source;
  });
  const [list] = useState(() => {
    if (source instanceof UploadList) return source;
    return new UploadList(isUploader(source) ? source : following(source, () => latest.current as UploaderOptions));
  });
  useEffect(() => list.hold(), [list]);
  const items = useSyncExternalStore(
    (changed) => list.subscribe(changed),
    () => list.items,
    () => NONE,
  );
  const [methods] = useState(() => methodsOf(list));
  return {
    items,
    total: totalOf(items),
    ...methods,
    get uploader() {
      return list.uploader;
    },
  };
}

const NONE: readonly UploadItem[] = [];
