// Compiled by the strictest rules: the element in TSX, as React has it.
import 'directput/element';
import type { DirectPut } from 'directput/element';
import { createRef } from 'react';

const element = createRef<DirectPut>();

export const right = (
  <direct-put
    ref={element}
    className="papers"
    endpoint="/uploads"
    name="papers"
    multiple
    max-files={3}
    autostart={false}
    paste
    checksum="crc64nvme"
    options={{ headers: { authorization: 'Bearer x' } }}
    labels={{ choose: 'Dateien wählen' }}
    onstored={({ detail }) => detail.result.key.length}
    onfailed={(event) => event.detail.error.limit}
  />
);
// @ts-expect-error The address is a text.
export const wrong = <direct-put endpoint={3} />;
// @ts-expect-error There is no such attribute.
export const unknown = <direct-put endpont="/uploads" />;
