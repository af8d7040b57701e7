// `make bench`: plays every case, contestants taking turns, and writes results.json, the table and the plot.
//
//   node bench/driver/main.mjs [--cases a,b] [--contestants a,b] [--rounds 5] [--only-print]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../../tests/e2e/server.mjs';
import { CASES } from './cases.mjs';
import { makeFiles } from './files.mjs';
import { run } from './run.mjs';
import { summary } from './summary.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(CASES).join() },
    contestants: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'directput-bench-'));

async function play(name) {
  const wanted = values.contestants?.split(',');
  const { files, bytes, contestants, link, faults = [], timeoutSeconds } = CASES[name];
  const taking = wanted ?? contestants;
  const paths = await makeFiles(join(folder, name), files, bytes);
  const server = await startServer({
    data: join(folder, 'data'),
    args: ['--discard', '--control', '--www', 'target/bench', ...(link ? ['--link', JSON.stringify(link)] : [])],
    env: { RUST_LOG: 'error', ALLOWED_CHECKSUMS: 'sha256,crc64nvme,none' },
  });
  await fetch(`${server.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  const runs = new Map(taking.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Nobody always comes after the same other.
    const order = taking.map(
      (_, index) => taking[(index * (round % 2 ? -1 : 1) + round + 2 * taking.length) % taking.length],
    );
    for (const contestant of order) {
      const outcome = await run(server, contestant, paths, files * bytes, timeoutSeconds);
      runs.get(contestant).push(outcome);
      process.stderr.write(`${name} round ${round + 1} ${contestant}: ${line(outcome)}\n`);
    }
  }
  await server.stop();
  rmSync(join(folder, name), { recursive: true });
  return taking.map((contestant) => ({ case: name, contestant, ...summary(runs.get(contestant)) }));
}

function line(outcome) {
  if (outcome.error) return outcome.error;
  const { mibPerSecond, cpuMsPerMib, longTaskMs, frameMs, inputDelayMs, rendererMib, apiCalls } = outcome;
  return [
    `${mibPerSecond.toFixed(1)} MiB/s`,
    `cpu ${cpuMsPerMib.toFixed(2)} ms/MiB`,
    `task ${longTaskMs.toFixed(0)} ms`,
    `frame ${frameMs.toFixed(0)} ms`,
    `input ${inputDelayMs.toFixed(0)} ms`,
    `+${rendererMib.toFixed(0)} MiB`,
    `${apiCalls} calls`,
  ].join(', ');
}

try {
  const cases = [];
  for (const name of values.cases.split(',')) cases.push(...(await play(name)));
  if (values.out) {
    mkdirSync(join(values.out, '..'), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify({ cases }, undefined, 2)}\n`);
  }
  for (const { case: name, contestant, mib_per_s: speed, ...rest } of cases) {
    const figures = speed
      ? `${speed.min} / ${speed.median} / ${speed.max}, cpu ${rest.cpu_ms_per_mib}, +${rest.renderer_mib_extra} MiB`
      : rest.error;
    process.stdout.write(`${name.padEnd(20)} ${contestant.padEnd(20)} ${figures}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
