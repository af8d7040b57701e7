// The worker of the contestant `reference`.
import { AT_ONCE, address, pool, portions, put } from './shared.js';

/** Number of parts that are hashed at the same time, ahead of the parts that are sent. 1 is the fastest setting. */
const HASHERS = 1;

async function digest(slice) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await slice.arrayBuffer()));
  return btoa(String.fromCharCode(...hash));
}

/** Returns a semaphore with this number of places. */
function gate(places) {
  const waiting = [];
  return {
    async enter() {
      if (places > 0) places -= 1;
      else await new Promise((resolve) => waiting.push(resolve));
    },
    leave() {
      const next = waiting.shift();
      if (next) next();
      else places += 1;
    },
  };
}

async function upload(target, files) {
  const hashing = gate(HASHERS);
  const sending = gate(AT_ONCE);
  await pool(portions(files), AT_ONCE + HASHERS, async ({ key, query, slice }) => {
    await hashing.enter();
    const checksum = await digest(slice).finally(() => hashing.leave());
    await sending.enter();
    await put(address(target, key, query), slice, { 'x-amz-checksum-sha256': checksum }).finally(() => sending.leave());
  });
}

globalThis.onmessage = async ({ data }) => {
  try {
    await upload(data.target, data.files);
    postMessage({});
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
postMessage({});
