// Opens the connection to the bucket before the first PUT.

/**
 * Has the browser connect to an address, if it is idle (HTML standard, link type `preconnect`). Presigned PUTs carry no
 * cookies, and connections that may carry some are others.
 */
export function preconnect(href: string): void {
  const { document } = globalThis;
  if (!document?.head) return;
  const link = Object.assign(document.createElement('link'), { rel: 'preconnect', href, crossOrigin: 'anonymous' });
  document.head.append(link);
  link.remove();
}
