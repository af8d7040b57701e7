// Opens the connection to the bucket before the first PUT.

/**
 * Asks the browser to connect to an origin (HTML standard, link type `preconnect`). The connection is `anonymous`,
 * because presigned PUTs send no cookies, and browsers use separate connections for requests with cookies.
 */
export function preconnect(href: string): void {
  const { document } = globalThis;
  if (!document?.head) return;
  const link = Object.assign(document.createElement('link'), { rel: 'preconnect', href, crossOrigin: 'anonymous' });
  document.head.append(link);
  link.remove();
}
