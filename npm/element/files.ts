// Files as people hand them over: dropped, in folders, or picked; with a handle where the browser has one.

/** A file, and where it came from, so that a later visit can open it again. */
export interface Found {
  file: File;
  handle?: FileSystemFileHandle;
}

/** What TypeScript's DOM library does not know yet: https://wicg.github.io/file-system-access/ */
interface FileSystemAccess {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}
type Item = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };

/** All files of a drop, those in folders too. */
async function dropped(transfer: DataTransfer): Promise<Found[]> {
  // The browser empties the list as soon as the event is over, so all is asked for at once.
  const items = ([...transfer.items] as Item[]).filter((item) => item.kind === 'file');
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

/** Takes what is dropped on an element, unless it is disabled; `data-over` is there while something hovers. */
export function watchDrops(element: HTMLElement, take: (found: Found[]) => void): void {
  const isDisabled = (): boolean => element.matches(':disabled');
  const over = (isOver: boolean): void => void element.toggleAttribute('data-over', isOver && !isDisabled());
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  element.addEventListener('dragleave', (event) => {
    if (!element.contains(event.relatedTarget as Node | null)) over(false);
  });
  element.addEventListener('drop', async (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer && !isDisabled()) take(await dropped(event.dataTransfer));
  });
}

/** Whether the browser has a dialog that gives handles. */
export function canPick(): boolean {
  return typeof (globalThis as FileSystemAccess).showOpenFilePicker === 'function';
}

/** Lets the user pick files; none if the dialog is closed, undefined if the page may not open it. */
export async function picked(multiple: boolean): Promise<Found[] | undefined> {
  try {
    const handles = (await (globalThis as FileSystemAccess).showOpenFilePicker?.({ multiple })) ?? [];
    return (await Promise.all(handles.map(fromHandle))).flat();
  } catch (error) {
    const { name } = error as DOMException;
    if (name === 'AbortError') return [];
    // A frame of another origin has inputs of its own, but no dialog.
    if (name === 'SecurityError') return undefined;
    throw error;
  }
}

async function fromHandle(handle: FileSystemHandle): Promise<Found[]> {
  if (handle.kind === 'file') {
    const own = handle as FileSystemFileHandle;
    return [{ file: await own.getFile(), handle: own }];
  }
  const found: Found[] = [];
  for await (const child of (handle as Folder).values()) found.push(...(await fromHandle(child)));
  return found;
}

/** The older interface of folders (File and Directory Entries API). */
async function fromEntry(entry: FileSystemEntry): Promise<Found[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Found[] = [];
  for (;;) {
    // It gives at most a hundred at a time.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return found;
    for (const child of entries) found.push(...(await fromEntry(child)));
  }
}
