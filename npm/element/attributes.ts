// The attributes of `<direct-put>`: what its uploader is made of, and the properties that reflect them.
import type { UploaderOptions } from '../index.js';
import { put } from './dom.js';

/** Each attribute that is an option of the uploader, with the option that it sets. */
const OPTIONS = {
  endpoint: 'endpoint',
  accept: 'accept',
  'min-bytes': 'minBytes',
  'max-bytes': 'maxBytes',
  'max-files': 'maxFiles',
  checksum: 'checksum',
} as const satisfies { [attribute: string]: keyof UploaderOptions };

/** Attributes that are there or not. */
const FLAGS = ['multiple', 'folders', 'details', 'disabled', 'required', 'paste', 'actions', 'total'];

/** Attributes with a value, apart from the options. */
const TEXTS = ['name', 'capture', 'file-picker'];

/** Attributes that an uploader is made of; a change makes another one for what comes. */
export const OF_UPLOADER = Object.keys(OPTIONS);

/** All of them. */
export const ATTRIBUTES = [...OF_UPLOADER, ...FLAGS, ...TEXTS, 'autostart'];

/** Properties that reflect attributes. A page or a framework sets either. */
export interface Reflected {
  /** The address of the signing API. Default: empty. */
  endpoint: string;
  /** As `accept` of an `Uploader`. Default: empty, which takes everything. */
  accept: string;
  /** Smaller files, in bytes, are refused; null for no limit. */
  minBytes: number | null;
  /** Larger files, in bytes, are refused; null for no limit. */
  maxBytes: number | null;
  /** Maximum number of files; null for no limit. */
  maxFiles: number | null;
  /** As `checksum` of an `Uploader`. */
  checksum: string;
  /** Whether it takes several files. */
  multiple: boolean;
  /** Whether it has a button for folders. */
  folders: boolean;
  /** Whether rows show phases, key and checksum. */
  details: boolean;
  /** Whether it takes no files. */
  disabled: boolean;
  /** Whether its form needs a stored file. */
  required: boolean;
  /** Whether it takes files that are pasted into the page. */
  paste: boolean;
  /** Whether it has buttons that act on all rows. */
  actions: boolean;
  /** Whether it shows the progress of all files together. */
  total: boolean;
  /** The name under which the form sends keys. */
  name: string;
  /** The camera that phones open: `user` or `environment`. */
  capture: string;
  /** `input` for the dialog of file inputs in every browser. */
  filePicker: string;
  /** Whether uploads begin by themselves. Default: true. */
  autostart: boolean;
}

const isNumber = (attribute: string): boolean => /^m(in|ax)-/.test(attribute);

/** The options that an element's attributes set. */
export function optionsOf(element: Element): Partial<UploaderOptions> {
  const options: Record<string, string | number> = {};
  for (const [attribute, option] of Object.entries(OPTIONS)) {
    const value = element.getAttribute(attribute);
    if (value !== null) options[option] = isNumber(attribute) ? Number(value) : value;
  }
  return options;
}

const propertyOf = (attribute: string): string => attribute.replace(/-(\w)/, (_, letter) => letter.toUpperCase());

/** The properties that reflect an attribute. */
export const REFLECTED = ATTRIBUTES.map(propertyOf) as (keyof Reflected)[];

/** Gives a class its properties that reflect attributes. */
export function reflect(prototype: object): void {
  for (const name of ATTRIBUTES) {
    Object.defineProperty(prototype, propertyOf(name), {
      configurable: true,
      enumerable: true,
      get(this: Element) {
        const value = this.getAttribute(name);
        if (FLAGS.includes(name)) return value !== null;
        if (name === 'autostart') return value !== 'false';
        return isNumber(name) ? (value === null ? null : Number(value)) : (value ?? '');
      },
      set(this: Element, value: unknown) {
        if (FLAGS.includes(name)) this.toggleAttribute(name, Boolean(value));
        // Frameworks set an attribute's text as a property, too.
        else if (name === 'autostart') this.setAttribute(name, String(value) === 'false' ? 'false' : 'true');
        else put(this, name, value);
      },
    });
  }
}
