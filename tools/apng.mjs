// Encodes screenshots as an animated PNG (W3C, PNG specification, third edition, chapter 11.3.4).
import { deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const crc = (body.reduce((c, byte) => TABLE[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc);
  return Buffer.concat([length, body, check]);
}

/** Returns the pixels of a screenshot (8 bits per sample, RGB or RGBA, not interlaced) as numbers `0xRRGGBB`. */
function decode(png) {
  const parts = [];
  let [width, height, samples] = [0, 0, 0];
  for (let at = 8; at < png.length; ) {
    const [length, name] = [png.readUInt32BE(at), png.toString('latin1', at + 4, at + 8)];
    const data = png.subarray(at + 8, at + 8 + length);
    if (name === 'IHDR') [width, height, samples] = [data.readUInt32BE(0), data.readUInt32BE(4), data[9] === 6 ? 4 : 3];
    if (name === 'IDAT') parts.push(data);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * samples;
  const bytes = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x < samples ? 0 : bytes[at - samples];
      const up = y === 0 ? 0 : bytes[at - stride];
      const corner = x < samples || y === 0 ? 0 : bytes[at - stride - samples];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      bytes[at] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  const pixels = new Uint32Array(width * height);
  for (let at = 0; at < pixels.length; at += 1) {
    const from = at * samples;
    pixels[at] = (bytes[from] << 16) | (bytes[from + 1] << 8) | bytes[from + 2];
  }
  return { width, height, pixels };
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Returns the box of the pixels that differ from the frame before, and its data. Other pixels are transparent. */
function difference({ width, height, pixels }, before) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let at = 0; at < pixels.length; at += 1) {
    if (pixels[at] === before?.[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  if (right === 0) [left, top, right, bottom] = [0, 0, 1, 1];
  const [columns, rows] = [right - left, bottom - top];
  const data = Buffer.alloc(rows * (columns * 4 + 1));
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const at = (y + top) * width + x + left;
      if (pixels[at] !== before?.[at]) data.writeUInt32BE(pixels[at] * 256 + 255, y * (columns * 4 + 1) + 1 + x * 4);
    }
  }
  return { left, top, columns, rows, data: deflateSync(data, { level: 9 }) };
}

/** Returns an animated PNG that repeats. `frames`: screenshots of one size, each with its duration in milliseconds. */
export function animate(frames) {
  const { width, height } = decode(frames[0].png);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8);
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length, 0);
  const chunks = [chunk('IHDR', header), chunk('acTL', control)];
  let sequence = 0;
  let before;
  for (const { png, ms } of frames) {
    const own = decode(png);
    const { left, top, columns, rows, data } = difference(own, before);
    const frame = Buffer.alloc(26);
    for (const [index, value] of [sequence, columns, rows, left, top].entries()) frame.writeUInt32BE(value, index * 4);
    frame.writeUInt16BE(ms, 20);
    frame.writeUInt16BE(1_000, 22);
    // The frame stays, and the next one is drawn over it.
    frame.set([0, 1], 24);
    sequence += 1;
    chunks.push(chunk('fcTL', frame));
    if (before) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence);
      sequence += 1;
      chunks.push(chunk('fdAT', Buffer.concat([number, data])));
    } else chunks.push(chunk('IDAT', data));
    before = own.pixels;
  }
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}
