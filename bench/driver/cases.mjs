// The cases of the benchmark: files, links, and contestants. Each group of cases should take less than half an hour.

const MIB = 1 << 20;
const MBIT = 1_000_000;

const PEERS = ['floor', 'reference', 'uppy', 'lib-storage', 'evaporate', 'single-put'];
const OURS = ['directput-sha256', 'directput-page', 'directput-wasm', 'directput-crc64nvme', 'directput-none'];

/** Sends parts before they are hashed. A file of one part is sent as by `directput-crc64nvme`. */
const AFTER = 'directput-crc64nvme-after';

/** Many small files on a link with latency. The bucket has three host names, and clients may use one or all of them. */
const SMALL_FILES = {
  contestants: ['floor', 'floor-lanes', 'uppy', 'directput-sha256'],
  link: { bitsPerSecond: 100 * MBIT, roundTripMs: 50 },
  lanes: 3,
};

/** One large file on a link. */
const ONE_FILE = { files: 1, contestants: [...PEERS, 'directput-sha256'], rounds: 3 };

/**
 * The cases by group. Without `link`, the speed of the loopback is not limited. `timeoutSeconds` ends a run that hangs.
 */
export const PARTS = {
  processor: {
    '256MiB': { files: 1, bytes: 256 * MIB, contestants: [...PEERS, ...OURS, AFTER], timeoutSeconds: 120 },
    '2GiB': {
      files: 1,
      bytes: 2048 * MIB,
      rounds: 3,
      contestants: [...PEERS, 'directput-sha256', 'directput-crc64nvme', AFTER, 'directput-none'],
      timeoutSeconds: 150,
    },
    // Time from the start of loading the library to the arrival of the first byte. The page has loaded no part of the
    // library before.
    'first-byte': {
      files: 1,
      bytes: 64 << 10,
      contestants: ['uppy', 'lib-storage', 'evaporate', 'directput-sha256', 'directput-page'],
      isLazy: true,
      timeoutSeconds: 60,
    },
    '200x1MiB': { files: 200, bytes: MIB, contestants: [...PEERS, ...OURS], timeoutSeconds: 120 },
  },
  links: {
    '100Mbit-50ms': {
      ...ONE_FILE,
      bytes: 128 * MIB,
      link: { bitsPerSecond: 100 * MBIT, roundTripMs: 50 },
      timeoutSeconds: 90,
    },
    '1Gbit-20ms': {
      ...ONE_FILE,
      bytes: 1024 * MIB,
      contestants: [...ONE_FILE.contestants, 'directput-crc64nvme', AFTER],
      link: { bitsPerSecond: 1000 * MBIT, roundTripMs: 20 },
      timeoutSeconds: 120,
    },
    // Packet loss, and a limit for each connection: more connections are faster. One connection has about 7 Mbit/s.
    '1Gbit-20ms-lossy': {
      ...ONE_FILE,
      bytes: 64 * MIB,
      contestants: SMALL_FILES.contestants,
      link: { bitsPerSecond: 1000 * MBIT, roundTripMs: 20, connectionBitsPerSecond: 20 * MBIT, lossPercent: 1 },
      lanes: 3,
      timeoutSeconds: 90,
    },
    '10Mbit-200ms-resets': {
      ...ONE_FILE,
      bytes: 48 * MIB,
      link: { bitsPerSecond: 10 * MBIT, roundTripMs: 200 },
      // Every hundredth PUT loses its connection after half of its bytes.
      faults: [{ on: 'put', drop: 'midway', every: 100 }],
      timeoutSeconds: 240,
    },
  },
  small: {
    '40x4MiB-100ms': {
      ...SMALL_FILES,
      files: 40,
      bytes: 4 * MIB,
      link: { bitsPerSecond: 300 * MBIT, roundTripMs: 100 },
      timeoutSeconds: 60,
    },
    '500x100KiB-50ms': { ...SMALL_FILES, files: 500, bytes: 100 << 10, timeoutSeconds: 90 },
    '10000x10KiB-50ms': {
      ...SMALL_FILES,
      files: 10_000,
      bytes: 10 << 10,
      rounds: 3,
      contestants: SMALL_FILES.contestants.slice(1),
      timeoutSeconds: 300,
    },
  },
};

/** All cases. `rounds`: number of rounds. Default: 5. */
export const CASES = Object.assign({}, ...Object.values(PARTS));
