// The attributes of `<direct-put>`: the options that they set on its uploader, and the properties that reflect them.
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

/** Boolean attributes: present or absent. */
const FLAGS = ['multiple', 'folders', 'details', 'disabled', 'required', 'paste'];

/** Attributes that are on unless their value is `false`. */
const SWITCHES = ['autostart', 'actions', 'total'];

/** Attributes with a value, apart from the options. */
const TEXTS = ['name', 'capture', 'file-picker'];

/** Attributes that set options of the uploader. After a change, later uploads use a new uploader. */
export const OF_UPLOADER = Object.keys(OPTIONS);

/** All attributes that `<direct-put>` adds to those of every element. */
export const ATTRIBUTES = [...OF_UPLOADER, ...FLAGS, ...TEXTS, ...SWITCHES];

/** Properties that reflect attributes. A page or a framework may set the property or the attribute. */
export interface Reflected {
  /** The address of the signing API. Default: empty. */
  endpoint: string;
  /** As `accept` of an `Uploader`. Default: empty, which accepts all types. */
  accept: string;
  /** Minimum file size in bytes; the element refuses smaller files. Null for no limit. */
  minBytes: number | null;
  /** Maximum file size in bytes; the element refuses larger files. Null for no limit. */
  maxBytes: number | null;
  /** Maximum number of files; null for no limit. */
  maxFiles: number | null;
  /** As `checksum` of an `Uploader`. */
  checksum: string;
  /** Whether the element accepts several files. */
  multiple: boolean;
  /** Whether the element has a button that chooses a folder. */
  folders: boolean;
  /** Whether rows have a button that shows the phases of the upload, and the key and checksum of the object. */
  details: boolean;
  /** Whether the element is disabled and accepts no files. */
  disabled: boolean;
  /** Whether the form needs at least one stored file before it can be submitted. */
  required: boolean;
  /** Whether the element accepts files pasted into the page. */
  paste: boolean;
  /** Whether a list of several files has buttons for all of them; if set to true, also a single file. Default: true. */
  actions: boolean;
  /** Whether a list of several files shows their total progress; if set to true, also a single file. Default: true. */
  total: boolean;
  /** The name under which the form submits the keys of the objects. */
  name: string;
  /** The camera that a phone opens: `user` or `environment`. */
  capture: string;
  /** `input`: use the dialog of `<input type="file">` in every browser. */
  filePicker: string;
  /** Whether uploads start without a click on the start button. Default: true. */
  autostart: boolean;
}

const isNumber = (attribute: string): boolean => /^m(in|ax)-/.test(attribute);

/** Returns the uploader options that an element's attributes set. */
export function optionsOf(element: Element): Partial<UploaderOptions> {
  const options: Record<string, string | number> = {};
  for (const [attribute, option] of Object.entries(OPTIONS)) {
    const value = element.getAttribute(attribute);
    if (value !== null) options[option] = isNumber(attribute) ? Number(value) : value;
  }
  return options;
}

/** Whether a switch is on: its attribute is present and not `false`, or it is absent and on by default. */
export function isOn(element: Element, name: string, byDefault: boolean): boolean {
  const value = element.getAttribute(name);
  return value === null ? byDefault : value !== 'false';
}

const propertyOf = (attribute: string): string => attribute.replace(/-(\w)/, (_, letter) => letter.toUpperCase());

/** The names of the properties that reflect an attribute. */
export const REFLECTED = ATTRIBUTES.map(propertyOf) as (keyof Reflected)[];

/** Defines the properties that reflect attributes on the prototype of a class. */
export function reflect(prototype: object): void {
  for (const name of ATTRIBUTES) {
    Object.defineProperty(prototype, propertyOf(name), {
      configurable: true,
      enumerable: true,
      get(this: Element) {
        const value = this.getAttribute(name);
        if (FLAGS.includes(name)) return value !== null;
        if (SWITCHES.includes(name)) return isOn(this, name, true);
        return isNumber(name) ? (value === null ? null : Number(value)) : (value ?? '');
      },
      set(this: Element, value: unknown) {
        if (FLAGS.includes(name)) this.toggleAttribute(name, Boolean(value));
        // Frameworks may set the property to the attribute's text, such as `'false'`.
        else if (SWITCHES.includes(name)) this.setAttribute(name, String(value) === 'false' ? 'false' : 'true');
        else put(this, name, value);
      },
    });
  }
}
