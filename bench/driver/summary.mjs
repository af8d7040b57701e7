// Summarizes the runs of a contestant for its entry in results.json.

const round = (value, digits = 1) => Number(value.toFixed(digits));

export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(values) {
  return {
    min: round(Math.min(...values), 2),
    median: round(median(values), 2),
    max: round(Math.max(...values), 2),
  };
}

export function summary(runs) {
  const done = runs.filter(({ error }) => error === undefined);
  // If one run has failed, there are no results: an uploader has to work every time.
  const error = runs.find((run) => run.error)?.error;
  if (error !== undefined) return { error };
  const speeds = done.map(({ mibPerSecond }) => mibPerSecond);
  if (done.every(({ firstByteMs }) => firstByteMs !== undefined)) {
    return { first_byte_ms: spread(done.map(({ firstByteMs }) => firstByteMs)), error: null };
  }
  const most = (name) => round(Math.max(...done.map((run) => run[name])));
  const typical = (name) => round(median(done.map((run) => run[name])));
  return {
    mib_per_s: spread(speeds),
    long_task_ms_max: most('longTaskMs'),
    frame_ms_max: most('frameMs'),
    input_delay_ms_max: most('inputDelayMs'),
    renderer_mib_extra: typical('rendererMib'),
    browser_mib_extra: typical('browserMib'),
    cpu_ms_per_mib: typical('cpuMsPerMib'),
    api_calls: typical('apiCalls'),
    error: null,
  };
}
