// Makes files to upload. A file repeats one random block of 1 MiB with a counter, so that all blocks differ.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const MIB = 1 << 20;

export async function makeFiles(folder, count, bytes) {
  mkdirSync(folder, { recursive: true });
  const block = randomBytes(MIB);
  const paths = [];
  for (let index = 0; index < count; index += 1) {
    const path = join(folder, `${index}.bin`);
    const file = await open(path, 'w');
    for (let at = 0; at < bytes; at += MIB) {
      block.writeUInt32LE(at / MIB, 0);
      block.writeUInt32LE(index, 4);
      await file.write(block, 0, Math.min(MIB, bytes - at));
    }
    await file.close();
    paths.push(path);
  }
  return paths;
}
