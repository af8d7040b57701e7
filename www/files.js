// Files as people hand them over: dropped, in folders, or picked; with a handle where the browser has one.

/** @returns {Promise<{file: File, handle?: FileSystemFileHandle}[]>} all files of a drop, those in folders too. */
export async function dropped(transfer) {
  // The browser empties the list as soon as the event is over, so all is asked for at once.
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const asked = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null),
    entry: item.webkitGetAsEntry?.(),
    file: item.getAsFile(),
  }));
  const found = await Promise.all(
    asked.map(async ({ handle, entry, file }) => {
      const opened = await handle;
      if (opened) return fromHandle(opened);
      if (entry?.isDirectory) return fromEntry(entry);
      return file ? [{ file }] : [];
    }),
  );
  return found.flat();
}

/** Lets the user pick files; nothing where the browser has no such dialog, or the user closes it. */
export async function picked() {
  try {
    const handles = await showOpenFilePicker({ multiple: true });
    return (await Promise.all(handles.map(fromHandle))).flat();
  } catch (error) {
    if (error.name === 'AbortError') return [];
    throw error;
  }
}

async function fromHandle(handle) {
  if (handle.kind === 'file') return [{ file: await handle.getFile(), handle }];
  const found = [];
  for await (const child of handle.values()) found.push(...(await fromHandle(child)));
  return found;
}

/** The older interface of folders (File and Directory Entries API). */
async function fromEntry(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // It gives at most a hundred at a time.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return found;
    for (const child of entries) found.push(...(await fromEntry(child)));
  }
}
