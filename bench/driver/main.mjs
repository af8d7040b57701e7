// `make bench`: runs every case, with contestants in turn, and writes results.json, the tables and the plot.
//
//   make bench ARGS='--cases 256MiB,2GiB --contestants floor,directput-sha256 --rounds 3'
//
// `--part processor`, `--part links` and `--part small` should take less than half an hour each. In results.json, new
// results replace the results of the same case and contestant. The tables and the plot are made from all results.
// history.csv keeps the medians of earlier dates.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../../tests/e2e/server.mjs';
import { CASES, PARTS } from './cases.mjs';
import { makeFiles } from './files.mjs';
import { lambda } from './lambda.mjs';
import { machine, native } from './native.mjs';
import { history, publish, tables } from './report.mjs';
import { run } from './run.mjs';
import { summary } from './summary.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    part: { type: 'string' },
    contestants: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const RESULTS = 'bench/results.json';
const HISTORY = 'bench/history.csv';
const date = new Date().toISOString().slice(0, 10);
const ofPart = Object.keys(values.part ? PARTS[values.part] : CASES);
const folder = mkdtempSync(join(tmpdir(), 'directput-bench-'));

async function play(name) {
  const wanted = values.contestants?.split(',');
  const { files, bytes, contestants, link, lanes = 1, faults = [], isLazy = false, timeoutSeconds } = CASES[name];
  const rounds = Number(values.rounds ?? CASES[name].rounds ?? 5);
  const taking = wanted?.filter((contestant) => contestants.includes(contestant)) ?? contestants;
  const paths = await makeFiles(join(folder, name), files, bytes);
  const server = await startServer({
    data: join(folder, 'data'),
    args: [
      ...['--discard', '--control', '--www', 'target/bench', '--lanes', String(lanes)],
      ...(link ? ['--link', JSON.stringify(link)] : []),
    ],
    env: { RUST_LOG: 'error', ALLOWED_CHECKSUMS: 'sha256,crc64nvme,crc64nvme-after,none' },
  });
  await fetch(`${server.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  const runs = new Map(taking.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Changes the order in each round, so that a contestant does not always follow the same other contestant.
    const order = taking.map(
      (_, index) => taking[(index * (round % 2 ? -1 : 1) + round + 2 * taking.length) % taking.length],
    );
    for (const contestant of order) {
      // Skips a contestant after a failure: the summary then has no figures for it.
      if (runs.get(contestant).some(({ error }) => error)) continue;
      const outcome = await run(server, contestant, paths, { bytes: files * bytes, isLazy, timeoutSeconds });
      runs.get(contestant).push(outcome);
      process.stderr.write(`${name} round ${round + 1} ${contestant}: ${line(outcome)}\n`);
    }
  }
  await server.stop();
  rmSync(join(folder, name), { recursive: true });
  return taking.map((contestant) => ({ case: name, contestant, date, rounds, ...summary(runs.get(contestant)) }));
}

function line(outcome) {
  if (outcome.error) return outcome.error;
  if (outcome.firstByteMs) return `${outcome.firstByteMs.toFixed(0)} ms to the first byte`;
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

/** Returns the earlier results. New results replace those of the same case and contestant. */
function merged(cases) {
  const before = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')).cases : [];
  const name = (line) => `${line.case} ${line.contestant}`;
  const measured = new Set(cases.map(name));
  const all = [...before.filter((line) => !measured.has(name(line))), ...cases];
  const places = Object.entries(CASES).flatMap(([of, { contestants }]) => contestants.map((who) => `${of} ${who}`));
  return all.sort((one, other) => places.indexOf(name(one)) - places.indexOf(name(other)));
}

try {
  const cases = [];
  const figures = {
    date,
    machine: machine(),
    ...native(),
    ...(await lambda()),
  };
  for (const name of values.cases?.split(',') ?? ofPart) {
    cases.push(...(await play(name)));
    // Written after each case, so that an interrupted benchmark keeps its results.
    const all = { ...figures, cases: merged(cases) };
    writeFileSync(RESULTS, `${JSON.stringify(all, undefined, 2)}\n`);
    publish(all);
    writeFileSync(HISTORY, history(existsSync(HISTORY) ? readFileSync(HISTORY, 'utf8') : '', all.cases));
  }
  process.stdout.write(`${tables({ ...figures, cases })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
