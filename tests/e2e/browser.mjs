// Starts Chromium for tests and benchmarks.

/** Host name other than localhost. Over plain HTTP it is not a secure context, like a machine on a LAN. */
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
