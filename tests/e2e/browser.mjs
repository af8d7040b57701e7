// Starts Chromium for tests and benchmarks.

/** Host name other than localhost. A page of this host over plain HTTP has no secure context, like a page of a LAN. */
export const LAN_HOST = 'directput.test';

export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    `--host-resolver-rules=MAP ${LAN_HOST} 127.0.0.1`,
  ],
};
