// Draws a picture's thumbnail. Loaded with the first picture. Decodes the file directly, so no policy has to allow a blob URL.
import { h } from './dom.js';

/** Maximum size of a picture in bytes: larger ones take long to decode. */
const MAX_BYTES = 32 << 20;
const SIZE_PX = 96;

/** The last thumbnail in the queue. Pictures are decoded one at a time. */
let last: Promise<unknown> = Promise.resolve();

/** Calls `show` with a canvas. Never calls it if the picture can't be decoded or is out of view when its turn comes. */
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
