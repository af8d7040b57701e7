// Lists the files in dropped folders, with either of the browser's two interfaces. Loaded with the first folder.
import type { Found } from './files.js';

/** Not in TypeScript's DOM library yet: https://fs.spec.whatwg.org/ */
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };

/** Returns all files in a folder. */
export function all(folder: FileSystemHandle | FileSystemEntry): Promise<Found[]> {
  return 'kind' in folder ? fromHandle(folder) : fromEntry(folder);
}

/** Returns the files of a handle. An entry that can't be opened is included, with its error as `cause`. */
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

/** Returns the files of an entry of the older interface (File and Directory Entries API). */
async function fromEntry(entry: FileSystemEntry): Promise<Found[]> {
  const { name } = entry;
  // `fullPath` begins with a slash.
  const path = entry.fullPath.slice(1);
  const found: Found[] = [];
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      return [{ name, file, path }];
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // Chromium returns at most 100 entries per call.
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) break;
      for (const child of entries) for (const one of await fromEntry(child)) found.push(one);
    }
  } catch (cause) {
    found.push({ name, path, cause });
  }
  return found;
}
