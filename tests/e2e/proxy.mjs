// A proxy in front of S3 that flips one byte of the first large PUT that passes, like a bad router.
import http from 'node:http';

/** @returns a proxy that listens; `target(url)` tells it where to send what comes. */
export async function startProxy() {
  let upstream;
  const seen = { flipped: 0, refused: [] };
  const server = http.createServer((request, response) => {
    let flips = request.method === 'PUT' && seen.flipped === 0 && Number(request.headers['content-length']) > 1e6;
    if (flips) seen.flipped += 1;
    const wasFlipped = flips;
    const { hostname, port } = upstream;
    // `Host` goes through unchanged: it is part of the signature.
    const { method, url: path, headers } = request;
    const forward = http.request({ hostname, port, method, path, headers }, (answer) => {
      if (wasFlipped) seen.refused.push(answer.statusCode);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forward.on('error', () => response.destroy());
    request.on('data', (bytes) => {
      if (flips && bytes.length > 100) {
        bytes[100] ^= 1;
        flips = false;
      }
      forward.write(bytes);
    });
    request.on('end', () => forward.end());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    target: (url) => {
      upstream = new URL(url);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
