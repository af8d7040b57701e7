// The floor: lazy slices by XMLHttpRequest, with no checksum, no signing and no completion.
import { AT_ONCE, address, pool, portions, put } from './shared.js';

export async function prepare(target) {
  return (files) => pool(portions(files), AT_ONCE, ({ key, query, slice }) => put(address(target, key, query), slice));
}
