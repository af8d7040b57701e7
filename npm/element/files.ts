// Reads files that the user drops, pastes, chooses, or hands over in folders; with a handle where the browser gives one.

/** A file with its handle, so that a later visit can open it again; or the reason why the browser could not open it. */
export interface Found {
  name: string;
  file?: File;
  handle?: FileSystemFileHandle;
  /** The path in the folder that the user handed over, with that folder's name first; empty without a folder. */
  path?: string;
  /** The browser's error, if it could not open the file. */
  cause?: unknown;
}

/** Not in TypeScript's DOM library yet: https://wicg.github.io/file-system-access/ */
interface FileSystemAccess {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}
type Item = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** Returns files of a page or an input as `Found`. */
export function foundIn(files: Iterable<File>): Found[] {
  return [...files].map((file) => ({ name: file.name, file, path: file.webkitRelativePath ?? '' }));
}

/** Returns all files of a drop, including those in folders. */
async function dropped(transfer: DataTransfer): Promise<Found[]> {
  // The browser empties the list when the event ends, so this reads every item before the first `await`.
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

/** Takes files dropped on an element, unless it is disabled. Sets `data-over` while something is dragged over it. */
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

/** Whether to use the dialog that gives handles. Not under WebDriver: test tools can only fill in a file input. */
export function canPick(): boolean {
  return typeof (globalThis as FileSystemAccess).showOpenFilePicker === 'function' && !navigator.webdriver;
}

/**
 * Opens the file picker. Resolves to the chosen files, to none if the user closes the dialog, or to undefined if the browser
 * refuses to open it, as in a frame of another origin.
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

/** Returns all files in a folder. Loads the module that reads folders with the first folder, since folders are rare. */
async function inFolder(folder: FileSystemHandle | FileSystemEntry): Promise<Found[]> {
  const { name } = folder;
  try {
    const { all } = await import('./folders.js');
    return await all(folder);
  } catch (cause) {
    return [{ name, cause }];
  }
}
