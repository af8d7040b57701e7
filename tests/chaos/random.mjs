// Random draws that depend on a seed and on names, not on the order of requests.

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text) {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Stream of random draws. The same names give the same stream. */
export class Random {
  #state;

  constructor(...names) {
    this.#state = hash(names.join('/'));
  }

  /** Returns a number from 0 to below 1 (mulberry32). */
  unit() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns whether an event of this probability happens. */
  chance(probability) {
    return this.unit() < probability;
  }

  /** Returns a number between two others. */
  between(low, high) {
    return low + this.unit() * (high - low);
  }

  /** Returns a whole number between two others, both included. */
  whole(low, high) {
    return Math.floor(this.between(low, high + 1));
  }

  /** Returns one item of a list. */
  pick(list) {
    return list[Math.floor(this.unit() * list.length)];
  }

  /** Returns some items of a list, each at most once. */
  sample(list, count) {
    const rest = [...list];
    const take = () => rest.splice(Math.floor(this.unit() * rest.length), 1)[0];
    return Array.from({ length: Math.min(count, list.length) }, take);
  }
}
