// A picture's thumbnail, loaded with the first picture. It is made from the file itself: no policy has to allow an address.
import { h } from './dom.js';

/** Larger pictures take long to decode, in bytes. */
const MAX_BYTES = 32 << 20;
const SIZE_PX = 96;

/** One after the other, so that a hundred photos are not decoded at once. */
let last: Promise<unknown> = Promise.resolve();

/** Calls back with a canvas, or never: what can't be decoded, or has left the view before its turn, has no thumbnail. */
export function thumbnail(file: Blob, isShown: () => boolean, show: (canvas: HTMLCanvasElement) => void): void {
  if (file.size > MAX_BYTES) return;
  last = last.then(() => (isShown() ? draw(file, show) : undefined)).catch(() => {});
}

async function draw(file: Blob, show: (canvas: HTMLCanvasElement) => void): Promise<void> {
  const bitmap = await createImageBitmap(file, { resizeWidth: SIZE_PX, resizeQuality: 'medium' });
  const canvas = h('canvas', { part: 'thumbnail', 'aria-hidden': 'true' });
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  show(canvas);
}
