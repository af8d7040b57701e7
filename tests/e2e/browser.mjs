// How tests and benchmarks start Chromium.

/** A name that is not localhost: over plain http it is no secure context, like a machine on a LAN. */
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
