// `<DirectPut>`: the element `<direct-put>` as a component of React 18 and 19.
import {
  createElement,
  type ForwardRefExoticComponent,
  forwardRef,
  type HTMLAttributes,
  type RefAttributes,
  type RefObject,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
} from 'react';
import type { DirectPut as DirectPutElement, DirectPutEventMap, Labels, Reflected } from '../element/index.js';
import type { UploaderOptions } from '../index.js';
import type { AnyUploader } from '../list/index.js';
import { following } from './following.js';

/** Each event of the element as React names handlers, such as `onStored`. */
export type DirectPutHandlers = {
  [K in keyof DirectPutEventMap as `on${Capitalize<K>}`]?: ((event: DirectPutEventMap[K]) => void) | undefined;
};

/** The properties that reflect attributes of the element, by their own names. */
export type DirectPutReflected = { [K in keyof Reflected]?: Reflected[K] | undefined };

/** What else the element is told. */
interface Told {
  /**
   * What else the uploader is told. The element has another uploader from then on if a value in it changes; functions in it are
   * always those of the last rendering.
   */
  options?: Partial<UploaderOptions> | undefined;
  /** What each upload is told, by its file; always that of the last rendering. */
  uploadOptions?: DirectPutElement['uploadOptions'];
  /** Its words; those that are set replace the page's language's. */
  labels?: Partial<Labels> | undefined;
  /** An uploader of the page's own. */
  uploader?: AnyUploader | undefined;
}

/** What `<DirectPut>` takes: all that the element has, and all that every element of React has. */
export interface DirectPutProps
  extends DirectPutReflected,
    DirectPutHandlers,
    Told,
    Omit<HTMLAttributes<DirectPutElement>, keyof DirectPutReflected | keyof DirectPutHandlers | 'children'> {}

const EVENTS = [
  'start',
  'progress',
  'retry',
  'stored',
  'failed',
  'change',
] as const satisfies (keyof DirectPutEventMap)[];

const handlerOf = (type: string): keyof DirectPutHandlers =>
  `on${type[0]?.toUpperCase()}${type.slice(1)}` as keyof DirectPutHandlers;

/** What is not an attribute. */
const PROPERTIES = ['options', 'uploadOptions', 'labels', 'uploader', ...EVENTS.map(handlerOf)];

/** Attributes whose names are not those of their props. */
const NAMES: Record<string, string> = {
  className: 'class',
  minBytes: 'min-bytes',
  maxBytes: 'max-bytes',
  maxFiles: 'max-files',
  filePicker: 'file-picker',
};

/** The attributes that React 18 and 19 make the same of. */
function attributesOf(props: DirectPutProps): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(props)) {
    if (PROPERTIES.includes(name)) continue;
    const isText = /^aria-|^data-|^autostart$/.test(name);
    // React 18 writes a false flag as a text, which is a flag that is there.
    attributes[NAMES[name] ?? name] =
      typeof value !== 'boolean' ? (value ?? undefined) : isText ? `${value}` : value || undefined;
  }
  return attributes;
}

/** The values of options, by which those of two renderings are compared. */
const valuesOf = (options: object): string =>
  JSON.stringify(options, (_, value) =>
    typeof value === 'function' ? 0 : value?.entries ? [...value.entries()] : value,
  );

const elementOf = ({ current }: RefObject<DirectPutElement | null>): DirectPutElement => current as DirectPutElement;

/** A server has no layout, and React 18 warns of effects that wait for one there. */
const useCommitted = globalThis.document ? useLayoutEffect : useEffect;

/**
 * The element with its properties, and its events as handlers. `ref` is the element. On a server it is an empty element; what
 * defines it is loaded in the browser, with the first that is shown.
 */
export const DirectPut: ForwardRefExoticComponent<DirectPutProps & RefAttributes<DirectPutElement>> =
  /* @__PURE__ */ forwardRef<DirectPutElement, DirectPutProps>((props, ref) => {
    const { options = {}, labels, uploader } = props;
    const own = useRef<DirectPutElement>(null);
    const latest = useRef(props);
    const told = useRef('');
    // Options that are written into JSX are new objects at each rendering, with the same values.
    const values = valuesOf(options);
    useImperativeHandle(ref, () => elementOf(own), []);
    useCommitted(() => {
      latest.current = props;
    });
    useCommitted(() => {
      elementOf(own).uploadOptions = (file) => latest.current.uploadOptions?.(file) ?? {};
    }, []);
    useCommitted(() => {
      const now = (): Partial<UploaderOptions> => latest.current.options ?? {};
      if (told.current !== values) elementOf(own).options = following(now(), now);
      told.current = values;
    }, [values]);
    useCommitted(() => {
      if (labels) elementOf(own).labels = labels;
    }, [labels]);
    useCommitted(() => {
      if (uploader) elementOf(own).uploader = uploader;
    }, [uploader]);
    // While a boundary of Suspense hides it, these effects stay.
    useEffect(() => {
      const listening = new AbortController();
      for (const type of EVENTS) {
        const tell = (event: Event): void => latest.current[handlerOf(type)]?.(event as never);
        elementOf(own).addEventListener(type, tell, { signal: listening.signal });
      }
      void import('../element/index.js');
      return () => listening.abort();
    }, []);
    return createElement('direct-put', { ...attributesOf(props), ref: own });
  });
