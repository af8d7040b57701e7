// The sub-export `directput/react`: a hook for components that upload, and the element as a component.
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

/** What `useUpload` gives a component. */
export interface UseUpload extends ListMethods {
  /** All uploads, in the order in which they were asked for. */
  items: readonly UploadItem[];
  /** The size, progress, speed and time left of all uploads together. */
  total: Total;
  /** For what else there is to do, such as `listResumable()`; made when it is first asked for. */
  readonly uploader: AnyUploader;
}

/**
 * Uploads for as long as the component is there; in an `<Activity>` that is hidden and shown again they go on where they
 * were. Options count from its first rendering on, but functions among them are always those of the last one. With an
 * uploader in place of options uploads outlive the component; with a list they last while one of the components that share it
 * is there.
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
