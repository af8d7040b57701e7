// A typical simple page: SparkMD5 computes the MD5 of the file, and one PUT with a presigned URL sends it.
import SparkMD5 from 'spark-md5';
import { AT_ONCE, address, callApi, newKey, pool, put } from './shared.js';

/** Number of bytes read at a time. */
const READ_BYTES = 2 << 20;

async function md5(file) {
  const hash = new SparkMD5.ArrayBuffer();
  for (let at = 0; at < file.size; at += READ_BYTES) hash.append(await file.slice(at, at + READ_BYTES).arrayBuffer());
  return btoa(hash.end(true));
}

export async function prepare(target) {
  return (files) =>
    pool(files, AT_ONCE, async (file) => {
      const checksum = await md5(file);
      await callApi();
      await put(address(target, newKey()), file, { 'content-md5': checksum });
    });
}
