// Gives way to what else the page has to do, such as drawing and hearing its user.

/** Resolves in another task. Timers would do, but in a page that is not seen they come once a second. */
export function anotherTask(): Promise<void> {
  return new Promise((resolve) => {
    // Test environments that are no browsers have none.
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
