// Lets the page do other work, such as rendering and handling input.

/** Resolves in another task. Does not use timers, because browsers delay them to once a second in hidden pages. */
export function anotherTask(): Promise<void> {
  return new Promise((resolve) => {
    // Some test environments, such as jsdom, have no `MessageChannel`.
    if (!globalThis.MessageChannel) {
      setTimeout(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
