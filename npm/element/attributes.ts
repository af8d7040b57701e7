// The attributes of `<direct-put>` that its uploader is made of.
import type { UploaderOptions } from '../index.js';

/** Each attribute, with the option that it sets. */
const OPTIONS = {
  endpoint: 'endpoint',
  accept: 'accept',
  'min-bytes': 'minBytes',
  'max-bytes': 'maxBytes',
  'max-files': 'maxFiles',
  checksum: 'checksum',
} as const satisfies { [attribute: string]: keyof UploaderOptions };

/** Attributes that an uploader is made of; a change makes another one for what comes. */
export const OF_UPLOADER = Object.keys(OPTIONS);

/** The options that an element's attributes set. */
export function optionsOf(element: Element): Partial<UploaderOptions> {
  const options: Record<string, string | number> = {};
  for (const [attribute, option] of Object.entries(OPTIONS)) {
    const value = element.getAttribute(attribute);
    // Those with a hyphen are numbers.
    if (value !== null) options[option] = attribute.includes('-') ? Number(value) : value;
  }
  return options;
}
