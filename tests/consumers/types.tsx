// Compiled with the strictest options: the React component.
import { DirectPut, type DirectPutElement } from 'directput/react';
import { createRef } from 'react';

const put = createRef<DirectPutElement>();
const input = createRef<HTMLInputElement>();

export const right = (
  <DirectPut
    ref={put}
    className="papers"
    aria-label="Papers"
    endpoint="/uploads"
    multiple
    maxFiles={3}
    autostart={false}
    checksum="crc64nvme"
    options={{ headers: async () => ({ authorization: 'Bearer x' }), beforeUpload: () => false }}
    uploadOptions={(file) => ({ priority: file ? 1 : 0 })}
    labels={{ error: ({ limit = 0 }) => `At most ${limit}.` }}
    onStart={({ detail }) => detail.upload.prioritize(1)}
    onProgress={({ detail }) => detail.progress.sentBytes}
    onRetry={({ detail }) => detail.retry.waitMs}
    onStored={({ detail }) => detail.result.key.length}
    onFailed={({ detail }) => detail.error.code === 'too-many-files' && detail.error.limit}
    onChange={() => put.current?.value}
    onClick={({ clientX }) => clientX}
  />
);
// @ts-expect-error `endpoint` must be a string.
export const endpoint = <DirectPut endpoint={3} />;
// @ts-expect-error `endpont` is not a property.
export const unknown = <DirectPut endpont="/uploads" />;
// @ts-expect-error `maxFiles` must be a number.
export const number = <DirectPut endpoint="/uploads" maxFiles="3" />;
// @ts-expect-error A stored upload has no error.
export const stored = <DirectPut endpoint="/uploads" onStored={({ detail }) => detail.error} />;
// @ts-expect-error `ref` must be a ref of the element.
export const other = <DirectPut endpoint="/uploads" ref={input} />;
// @ts-expect-error `header` is not an option.
export const option = <DirectPut endpoint="/uploads" options={{ header: {} }} />;
// @ts-expect-error The component takes no children.
export const children = <DirectPut endpoint="/uploads">papers</DirectPut>;
