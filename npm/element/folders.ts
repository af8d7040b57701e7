// Files in folders that were dropped, by the interface that the browser has; loaded with the first folder.
import type { Found } from './files.js';

/** Not in TypeScript's DOM library yet: https://fs.spec.whatwg.org/ */
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };

/** All files in a folder. */
export function all(folder: FileSystemHandle | FileSystemEntry): Promise<Found[]> {
  return 'kind' in folder ? fromHandle(folder) : fromEntry(folder);
}

/** What is in a handle. What can't be opened is among it, with the reason. */
async function fromHandle(handle: FileSystemHandle, folder = ''): Promise<Found[]> {
  const { name } = handle;
  const path = folder + name;
  const found: Found[] = [];
  try {
    if (handle.kind === 'file') {
      const own = handle as FileSystemFileHandle;
      return [{ name, file: await own.getFile(), handle: own, path: folder && path }];
    }
    for await (const child of (handle as Folder).values()) {
      for (const one of await fromHandle(child, `${path}/`)) found.push(one);
    }
  } catch (cause) {
    found.push({ name, path: folder && path, cause });
  }
  return found;
}

/** The older interface of folders (File and Directory Entries API). */
async function fromEntry(entry: FileSystemEntry): Promise<Found[]> {
  const { name } = entry;
  // It begins with a slash.
  const path = entry.fullPath.slice(1);
  const found: Found[] = [];
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      return [{ name, file, path }];
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // It gives at most a hundred at a time.
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) break;
      for (const child of entries) for (const one of await fromEntry(child)) found.push(one);
    }
  } catch (cause) {
    found.push({ name, path, cause });
  }
  return found;
}
