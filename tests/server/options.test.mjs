// Options of `createUploads`: a wrong one is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploads } from '../../pkg/server/index.js';
import { OPTIONS } from './fake-s3.mjs';

const made = (options) => createUploads({ ...OPTIONS, ...options });

test('the required options are enough', () => {
  assert.equal(typeof made(), 'function');
});

const WRONG = [
  ['bucket', undefined, /^bucket is missing: expected the name of an S3 bucket/],
  ['bucket', 'No Bucket', /^bucket is wrong/],
  ['region', undefined, /^region is missing: expected the region of the bucket/],
  ['credentials', undefined, /^credentials is wrong: expected an object with accessKeyId/],
  ['credentials', {}, /^credentials\.accessKeyId is wrong: expected a text/],
  ['credentials', { accessKeyId: 'a' }, /^credentials\.secretAccessKey is wrong/],
  ['tokenKey', undefined, /^tokenKey is missing: expected a secret of at least 32 characters/],
  ['tokenKey', 'short', /^tokenKey is wrong/],
  ['previousTokenKey', 'short', /^previousTokenKey is wrong/],
  ['authorize', undefined, /^authorize is wrong: expected a function that returns the caller/],
  ['authorize', true, /^authorize is wrong/],
  ['endpoint', 's3.example', /^endpoint is wrong: expected the URL of an S3 server/],
  ['lanes', ['fast'], /^lanes is wrong: expected some of regional, dualstack/],
  ['path', 'api', /^path is wrong: expected a path/],
  ['path', '/api/', /^path is wrong/],
  ['maxFileBytes', -1, /^maxFileBytes is wrong: expected a whole number from 0/],
  ['allowedTypes', ['image'], /^allowedTypes is wrong: expected media types/],
  ['allowedChecksums', ['md5'], /^allowedChecksums is wrong: expected some of sha256/],
  ['downloadNames', 'yes', /^downloadNames is wrong: expected none, attachment or inline/],
  ['minUrlSeconds', 5, /^minUrlSeconds is wrong: expected a whole number from 30 to 600/],
  ['maxUrlSeconds', 601, /^maxUrlSeconds is wrong: expected a whole number from 60 to 600/],
  ['tokenSeconds', 1, /^tokenSeconds is wrong: expected a whole number from 600/],
];

for (const [option, value, message] of WRONG) {
  test(`${option}: ${JSON.stringify(value)} is refused by its name`, () => {
    const isExpected = (error) =>
      error.name === 'UploadError' && error.code === 'invalid-option' && message.test(error.message);
    assert.throws(() => made({ [option]: value }), isExpected);
  });
}

test('publicUrls are of the server at endpoint', () => {
  assert.throws(() => made({ endpoint: 'http://s3', publicUrls: ['s3'] }), /^UploadError: publicUrls is wrong/);
});

test('a misspelt option is refused, with the nearest name', () => {
  assert.throws(
    () => made({ alowedTypes: ['image/*'] }),
    /There is no option alowedTypes; allowedTypes is the nearest/,
  );
});
