// Makes the package's custom-elements manifest from the tables in docs/element.md. Editors read it to support `<direct-put>`.
// Usage: node tools/manifest.mjs > pkg/custom-elements.json
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const plain = (text) => text.replaceAll('`', '');

/** Returns the rows of the table under a heading, each as a list of cells. */
function table(text, heading) {
  const [, section] = text.split(`\n## ${heading}\n`);
  const [own] = section.split(/\n## /);
  return [...own.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row.split(' | ').map(plain));
}

const typeOf = (text) => ({ text: text.replaceAll(', ', ' | ') });

/** Returns the manifest (https://github.com/webcomponents/custom-elements-manifest, version 1.0.0). */
export function manifest(text) {
  const attributes = table(text, 'Attributes').map(([name, fieldName, type, description]) => {
    return { name, fieldName, type: typeOf(type), description };
  });
  const members = table(text, 'Properties and methods').map(([name, type, description]) => {
    if (!name.includes('(')) return { kind: 'field', name, type: typeOf(type), description };
    const [, method, parameter] = /^(\w+)\((\w*)\)$/.exec(name);
    const parameters = parameter ? { parameters: [{ name: parameter }] } : {};
    return { kind: 'method', name: method, ...parameters, return: { type: typeOf(type) }, description };
  });
  const reflected = attributes.map(({ name: attribute, fieldName: name, type, description }) => {
    return { kind: 'field', name, type, description, attribute, reflects: true };
  });
  const events = table(text, 'Events').map(([name, , description]) => {
    const type = name === 'change' ? 'Event' : `DirectPutEventMap["${name}"]`;
    return { name, type: { text: type }, description };
  });
  const [, parts] = text.split('\nParts: ');
  const names = [...parts.split('\n\n')[0].matchAll(/`([\w-]+)`/g)];
  const variables = new Set(text.match(/`--directput-[\w-]+`/g).map(plain));
  const declaration = { name: 'DirectPut', module: 'element/index.js' };
  return {
    schemaVersion: '1.0.0',
    readme: 'README.md',
    modules: [
      {
        kind: 'javascript-module',
        path: 'element/index.js',
        declarations: [
          {
            kind: 'class',
            name: 'DirectPut',
            tagName: 'direct-put',
            customElement: true,
            superclass: { name: 'HTMLElement' },
            description: plain(text.split('\n\n')[1]),
            attributes,
            members: [...members, ...reflected],
            events,
            cssParts: names.map(([, name]) => ({ name })),
            cssProperties: [...variables].map((name) => ({ name })),
          },
        ],
        exports: [
          { kind: 'js', name: 'DirectPut', declaration },
          { kind: 'custom-element-definition', name: 'direct-put', declaration },
        ],
      },
    ],
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${JSON.stringify(manifest(readFileSync('docs/element.md', 'utf8')), null, 2)}\n`);
}
