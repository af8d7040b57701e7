// The lower bound of the time: sends lazy slices by XMLHttpRequest, without checksums, signing and completion.
import { AT_ONCE, address, pool, portions, put } from './shared.js';

export async function prepare(target) {
  return (files) => pool(portions(files), AT_ONCE, ({ key, query, slice }) => put(address(target, key, query), slice));
}

/** Sends the same requests, distributed over three host names of the bucket. */
export async function prepareLanes({ s3, bucket }) {
  const lanes = ['127.0.0.1', 'a.localhost', 'b.localhost'].map((name) => s3.replace('127.0.0.1', name));
  return async (files) => {
    const items = portions(files);
    const send = (lane) => (item) => put(address({ s3: lane, bucket }, item.key, item.query), item.slice);
    const rest = items[Symbol.iterator]();
    await Promise.all(lanes.map((lane) => pool(rest, AT_ONCE, send(lane))));
  };
}
