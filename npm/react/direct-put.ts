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

/** A handler for each event of the element, named as React names handlers, such as `onStored`. */
export type DirectPutHandlers = {
  [K in keyof DirectPutEventMap as `on${Capitalize<K>}`]?: ((event: DirectPutEventMap[K]) => void) | undefined;
};

/** The element's properties that reflect attributes, under the same names. */
export type DirectPutReflected = { [K in keyof Reflected]?: Reflected[K] | undefined };

/** The element's properties that reflect no attributes. */
interface Told {
  /**
   * Further options of the uploader. If a value changes, the element uses a new uploader from then on. Functions do not
   * count as changed: the functions of the latest rendering are called.
   */
  options?: Partial<UploaderOptions> | undefined;
  /** A function that returns the options of an upload for its file. The function of the latest rendering is called. */
  uploadOptions?: DirectPutElement['uploadOptions'];
  /** Texts that replace those of the page's language. */
  labels?: Partial<Labels> | undefined;
  /** An uploader that the page made. */
  uploader?: AnyUploader | undefined;
}

/** The props of `<DirectPut>`: those of the element, and those of every element in React. */
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

/** Props that are not passed on as attributes. */
const PROPERTIES = ['options', 'uploadOptions', 'labels', 'uploader', ...EVENTS.map(handlerOf)];

/** Attributes whose names differ from the names of their props. */
const NAMES: Record<string, string> = {
  className: 'class',
  minBytes: 'min-bytes',
  maxBytes: 'max-bytes',
  maxFiles: 'max-files',
  filePicker: 'file-picker',
};

/** Returns the attributes for the props, in a form that React 18 and React 19 render in the same way. */
function attributesOf(props: DirectPutProps): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(props)) {
    if (PROPERTIES.includes(name)) continue;
    const isText = /^aria-|^data-|^(autostart|actions|total)$/.test(name);
    // React 18 renders `false` as text, and a boolean attribute with any text counts as true. So false values are left
    // out.
    attributes[NAMES[name] ?? name] =
      typeof value !== 'boolean' ? (value ?? undefined) : isText ? `${value}` : value || undefined;
  }
  return attributes;
}

/**
 * Returns a text of the options' values. Equal options of two renderings have equal texts; functions are not compared.
 */
const valuesOf = (options: object): string =>
  JSON.stringify(options, (_, value) =>
    typeof value === 'function' ? 0 : value?.entries ? [...value.entries()] : value,
  );

const elementOf = ({ current }: RefObject<DirectPutElement | null>): DirectPutElement => current as DirectPutElement;

/** `useLayoutEffect`, except on a server, where React 18 warns about it. */
const useCommitted = globalThis.document ? useLayoutEffect : useEffect;

/**
 * The element `<direct-put>` as a component. Its properties and event handlers are props, and `ref` is the element. A
 * server renders an empty element. The browser loads the element's definition when the first component mounts.
 */
export const DirectPut: ForwardRefExoticComponent<DirectPutProps & RefAttributes<DirectPutElement>> =
  /* @__PURE__ */ forwardRef<DirectPutElement, DirectPutProps>((props, ref) => {
    const { options = {}, labels, uploader } = props;
    const own = useRef<DirectPutElement>(null);
    const latest = useRef(props);
    const told = useRef('');
    // Options written in JSX are a new object at each rendering, so their values are compared.
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
    // `useEffect`, not a layout effect: an effect stays active while a Suspense boundary hides the component.
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
