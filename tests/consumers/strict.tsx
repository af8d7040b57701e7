// Compiled with the strictest options: the element in TSX with React.
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
// @ts-expect-error `endpoint` must be a string.
export const wrong = <direct-put endpoint={3} />;
// @ts-expect-error `endpont` is not an attribute.
export const unknown = <direct-put endpont="/uploads" />;
