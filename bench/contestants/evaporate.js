// Evaporate. SparkMD5 computes the MD5 of each part in the page, and the API signs each request.
import Evaporate from 'evaporate';
import { sha256 } from 'js-sha256';
import SparkMD5 from 'spark-md5';
import { AT_ONCE, callApi, newKey, PART_BYTES } from './shared.js';

export async function prepare({ s3, bucket }) {
  const evaporate = await Evaporate.create({
    aws_key: 'unchecked',
    aws_url: s3,
    bucket,
    awsRegion: 'us-east-1',
    awsSignatureVersion: '4',
    computeContentMd5: true,
    cryptoMd5Method: (data) => btoa(SparkMD5.ArrayBuffer.hash(data, true)),
    cryptoHexEncodedHash256: sha256,
    partSize: PART_BYTES,
    maxConcurrentParts: AT_ONCE,
    logging: false,
    async customAuthMethod() {
      await callApi();
      return 'unchecked';
    },
  });
  return (files) => Promise.all(files.map((file) => evaporate.add({ name: newKey(), file })));
}
