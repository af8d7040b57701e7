// Files as people hand them over: dropped, pasted, in folders, or picked; with a handle where the browser has one.

/** A file and where it came from, so that a later visit can open it again; or why it could not be opened. */
export interface Found {
  name: string;
  file?: File;
  handle?: FileSystemFileHandle;
  /** Where it lies in the folder that was handed over, that folder's name first; empty without one. */
  path?: string;
  /** What the browser threw in place of the file. */
  cause?: unknown;
}

/** What TypeScript's DOM library does not know yet: https://wicg.github.io/file-system-access/ */
interface FileSystemAccess {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}
type Item = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** Files that a page or an input has. */
export function foundIn(files: Iterable<File>): Found[] {
  return [...files].map((file) => ({ name: file.name, file, path: file.webkitRelativePath ?? '' }));
}

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
      if (opened?.kind === 'file') return fromHandle(opened as FileSystemFileHandle);
      if (opened || entry?.isDirectory) return inFolder((opened ?? entry) as FileSystemHandle | FileSystemEntry);
      return file ? foundIn([file]) : [];
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

/** Whether the browser has a dialog that gives handles. Under WebDriver it is not used: tools can answer only that of an input. */
export function canPick(): boolean {
  return typeof (globalThis as FileSystemAccess).showOpenFilePicker === 'function' && !navigator.webdriver;
}

/**
 * Lets the user pick files. Gives no files if the user closes the dialog, and undefined if the browser refuses to open it, as
 * in a frame of another origin.
 */
export async function picked(multiple: boolean): Promise<Found[] | undefined> {
  try {
    const handles = (await (globalThis as FileSystemAccess).showOpenFilePicker?.({ multiple })) ?? [];
    return (await Promise.all(handles.map(fromHandle))).flat();
  } catch (error) {
    return (error as DOMException).name === 'AbortError' ? [] : undefined;
  }
}

async function fromHandle(handle: FileSystemFileHandle): Promise<Found[]> {
  const { name } = handle;
  try {
    return [{ name, file: await handle.getFile(), handle }];
  } catch (cause) {
    return [{ name, cause }];
  }
}

/** Folders are rare, so what reads them is loaded for the first. */
async function inFolder(folder: FileSystemHandle | FileSystemEntry): Promise<Found[]> {
  const { name } = folder;
  try {
    const { all } = await import('./folders.js');
    return await all(folder);
  } catch (cause) {
    return [{ name, cause }];
  }
}
