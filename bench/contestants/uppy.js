// Uppy with its plugin aws-s3. It sends the parts of a file one after the other and verifies nothing.
import AwsS3 from '@uppy/aws-s3';
import Uppy from '@uppy/core';
import { AT_ONCE, address, callApi, PART_BYTES, SINGLE_PUT_BYTES } from './shared.js';

export async function prepare(target) {
  const uppy = new Uppy({ autoProceed: false });
  uppy.use(AwsS3, {
    limit: AT_ONCE,
    shouldUseMultipart: (file) => file.size > SINGLE_PUT_BYTES,
    getChunkSize: () => PART_BYTES,
    generateObjectKey: (file) => `uploads/${file.id.replace(/[^a-z0-9-]/g, '-')}`,
    async signRequest({ method, key, uploadId, partNumber }) {
      await callApi();
      const isMultipart = method !== 'PUT' || partNumber !== undefined;
      if (!isMultipart) return { url: address(target, key) };
      if (uploadId === undefined) return { url: address(target, key, 'uploads=') };
      const part = partNumber === undefined ? '' : `partNumber=${partNumber}&`;
      return { url: address(target, key, `${part}uploadId=${encodeURIComponent(uploadId)}`) };
    },
  });
  return async (files) => {
    uppy.addFiles(files.map((file) => ({ name: file.name, type: 'application/octet-stream', data: file })));
    const { failed } = await uppy.upload();
    if (failed.length > 0) throw new Error(String(failed[0].error));
  };
}
