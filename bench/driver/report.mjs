// Makes the tables and the plot of bench/README.md from results.json.
import { readFileSync, writeFileSync } from 'node:fs';

const README = 'bench/README.md';

function group(cases) {
  const groups = new Map();
  for (const line of cases) groups.set(line.case, [...(groups.get(line.case) ?? []), line]);
  return groups;
}

const HEAD = [
  '| contestant | MiB/s: min | median | max | × floor | CPU ms/MiB | task ms | frame ms | input ms | renderer MiB | API calls |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
];

function row(line, floor) {
  const { contestant, mib_per_s: speed } = line;
  if (!speed) return `| ${contestant} | failed: ${line.error} |`;
  const share = floor?.mib_per_s ? (speed.median / floor.mib_per_s.median).toFixed(2) : '–';
  const rest = [
    line.cpu_ms_per_mib,
    line.long_task_ms_max,
    line.frame_ms_max,
    line.input_delay_ms_max,
    line.renderer_mib_extra,
    line.api_calls,
  ];
  return `| ${contestant} | ${speed.min} | **${speed.median}** | ${speed.max} | ${share} | ${rest.join(' | ')} |`;
}

/** Returns when the contestants of a case took turns. */
function when(entries) {
  const runs = new Set(entries.map(({ date, rounds }) => `${date}, ${rounds} rounds`));
  return [...runs].join('; ');
}

/** Returns the history with these results: a line for each date, case and contestant. */
export function history(before, cases) {
  const head = 'date,case,contestant,rounds,median,unit,api calls';
  const line = ({ date, case: name, contestant, rounds, mib_per_s: speed, first_byte_ms: first, api_calls: calls }) =>
    [date, name, contestant, rounds, (speed ?? first)?.median, first ? 'ms' : 'MiB/s', calls].join();
  const earlier = before.split('\n').slice(1).filter(Boolean);
  // A new line replaces the line of the same date, case and contestant.
  const lines = new Map([...earlier, ...cases.map(line)].map((text) => [text.split(',', 3).join(), text]));
  return `${[head, ...[...lines.values()].sort()].join('\n')}\n`;
}

/** Returns the tables as Markdown. */
export function tables({ date, machine, cases, ...native }) {
  const { processor, cores, memory_gib: memory, browser, node, kernel, tcp } = machine;
  const lines = [
    `${date}; ${processor}, ${cores} cores, ${memory} GiB, Linux ${kernel} (TCP ${tcp}), ${browser}, Node ${node}.`,
    '',
    '| figure | value |',
    '|---|---|',
    `| Wasm module and glue, gzipped | ${native.module_gzip_bytes.toLocaleString('en')} bytes |`,
    `| all that a page loads, gzipped | ${native.bundle_gzip_bytes.toLocaleString('en')} bytes |`,
    `| the function, zipped (this machine's processor) | ${native.lambda_zip_bytes.toLocaleString('en')} bytes |`,
    `| presigned URLs a second on one core | ${native.sign_urls_per_s.toLocaleString('en')} |`,
    `| the function: from its start to its readiness, without the secret's call | ${native.lambda_init_ms} ms |`,
    `| the function: its first request, and a later one | ${native.lambda_first_request_ms} ms, ${native.lambda_later_request_ms} ms |`,
    ...Object.entries(native.engine_ns_per_part).map(
      ([parts, ns]) => `| engine, for each of ${Number(parts).toLocaleString('en')} parts | ${ns} ns |`,
    ),
  ];
  for (const [name, entries] of group(cases)) {
    if (entries.some(({ first_byte_ms: first }) => first)) {
      lines.push(
        '',
        `### ${name}`,
        '',
        when(entries),
        '',
        '| contestant | ms from import to first byte: min | median | max |',
        '|---|---|---|---|',
      );
      for (const { contestant, first_byte_ms: first, error } of entries) {
        const figures = first ? `${first.min} | **${first.median}** | ${first.max}` : `failed: ${error}`;
        lines.push(`| ${contestant} | ${figures} |`);
      }
      continue;
    }
    const floor = entries.find(({ contestant }) => contestant === 'floor');
    lines.push('', `### ${name}`, '', when(entries), '', ...HEAD, ...entries.map((entry) => row(entry, floor)));
  }
  return lines.join('\n');
}

const ROW = 18;
const LEFT = 190;
const WIDTH = 420;

/** Returns an SVG with a panel per case: bars for the medians, whiskers from minimum to maximum. */
export function plot({ cases }) {
  const panels = [];
  let top = 0;
  for (const [name, entries] of group(cases.filter(({ first_byte_ms: first }) => !first))) {
    const most = Math.max(...entries.map(({ mib_per_s: speed }) => speed?.max ?? 0));
    const x = (speed) => LEFT + (speed / most) * WIDTH;
    panels.push(`<text x="8" y="${top + 16}" font-weight="bold">${name}, MiB/s</text>`);
    entries.forEach(({ contestant, mib_per_s: speed, error }, index) => {
      const y = top + 24 + index * ROW;
      panels.push(`<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${contestant}</text>`);
      if (!speed) {
        panels.push(`<text x="${LEFT}" y="${y + 12}" class="failed">${quote(error ?? 'failed')}</text>`);
        return;
      }
      const kind = contestant.startsWith('directput') ? 'ours' : 'peer';
      panels.push(
        `<rect x="${LEFT}" y="${y + 2}" width="${(x(speed.median) - LEFT).toFixed(1)}" height="${ROW - 5}" class="${kind}"/>`,
        `<path d="M${x(speed.min).toFixed(1)} ${y + 8}H${x(speed.max).toFixed(1)}" class="range"/>`,
        `<text x="${LEFT + WIDTH + 10}" y="${y + 12}">${speed.median}</text>`,
      );
    });
    top += 36 + entries.length * ROW;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="700" height="${top}" viewBox="0 0 700 ${top}" role="img" aria-label="Speeds of all contestants, also in the tables below">
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .ours { fill: #0969da }
  .peer { fill: #afb8c1 }
  .range { stroke: #24292f; fill: none }
  .failed { fill: #cf222e }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .range { stroke: #e6edf3 } .peer { fill: #57606a } .ours { fill: #4493f8 } }
</style>
${panels.join('\n')}
</svg>
`;
}

function quote(text) {
  return text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]).slice(0, 70);
}

/** Writes the tables between the marks in bench/README.md, and the plot to bench/speeds.svg. */
export function publish(results) {
  const text = readFileSync(README, 'utf8');
  const [before, rest] = text.split('<!-- results -->\n');
  const [, after] = rest.split('<!-- end of results -->\n');
  const between = `<!-- results -->\n${tables(results)}\n<!-- end of results -->\n`;
  writeFileSync(README, before + between + after);
  writeFileSync('bench/speeds.svg', plot(results));
}
