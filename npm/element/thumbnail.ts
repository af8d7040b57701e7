// A picture's thumbnail, made from the file itself: nothing is fetched, and no policy has to allow an address.

/** Larger pictures take long to decode, in bytes. */
const MAX_BYTES = 32 << 20;
const SIZE_PX = 96;

/** One after the other, so that a hundred photos are not decoded at once. */
let last: Promise<unknown> = Promise.resolve();

/** Calls back with a canvas, or never: what can't be decoded has no thumbnail. */
export function thumbnail(file: Blob, show: (canvas: HTMLCanvasElement) => void): void {
  if (!file.type.startsWith('image/') || file.size > MAX_BYTES) return;
  last = last.then(() => draw(file, show)).catch(() => {});
}

async function draw(file: Blob, show: (canvas: HTMLCanvasElement) => void): Promise<void> {
  const bitmap = await createImageBitmap(file, { resizeWidth: SIZE_PX, resizeQuality: 'medium' });
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  show(canvas);
}
