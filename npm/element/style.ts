// The styles of `<direct-put>`. Colours and corner radius are CSS variables; pages style everything else with `::part(…)`.

const CSS = `
:host {
  --accent: var(--directput-accent, light-dark(#0b5fd0, #6cb0ff));
  --on-accent: var(--directput-on-accent, light-dark(#fff, #14171a));
  --ink: var(--directput-ink, light-dark(#1b1f24, #e8ebee));
  --faint: var(--directput-faint, light-dark(#57606a, #9aa4ae));
  --card: var(--directput-card, light-dark(#f4f6f8, #1d2226));
  --line: var(--directput-line, light-dark(#d0d7de, #3a424a));
  --good: var(--directput-good, light-dark(#1a7f37, #56d364));
  --bad: var(--directput-bad, light-dark(#b3261e, #ff8a80));
  --warn: var(--directput-warn, light-dark(#7d4e00, #f2bd57));
  --radius: var(--directput-radius, 12px);
  --small: calc(var(--radius) * 0.66);
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 0.75rem;
  color: var(--ink);
  line-height: 1.4;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
h2, p, ul, ol, dl, dd { margin: 0; padding: 0; list-style: none; }
svg { width: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; display: block; }
.drop {
  position: relative;
  display: grid;
  gap: 0.5rem;
  justify-items: center;
  padding: 1.75rem 1rem;
  text-align: center;
  cursor: pointer;
  background: var(--card);
  border: 2px dashed var(--line);
  border-radius: var(--radius);
}
.drop-icon, .drop-now, .icon, button[data-icon] { display: grid; place-content: center; }
.drop-icon { width: 2.5rem; height: 2.5rem; border-radius: 50%; color: var(--accent); background: color-mix(in srgb, var(--accent) 12%, transparent); }
.drop-now { position: absolute; inset: 0; visibility: hidden; pointer-events: none; color: var(--accent); }
:host([data-over]) .drop { border: 2px solid var(--accent); background: color-mix(in srgb, var(--accent) 10%, var(--card)); }
:host([data-over]) .drop > :not(.drop-now) { opacity: 0; }
:host([data-over]) .drop-now { visibility: visible; }
.drop:has(~ .uploads > li) {
  padding: 0.5rem 0.75rem;
  text-align: start;
}
input, .status {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
button {
  font: inherit;
  color: var(--on-accent);
  background: var(--accent);
  border: 1px solid transparent;
  border-radius: var(--small);
  padding: 0.5rem 1rem;
  cursor: pointer;
}
.actions button, .choose-folder, .copy, .forget { color: var(--ink); background: none; border-color: var(--line); }
.actions button, .unfinished button { font-size: 0.8125rem; padding: 0.25rem 0.6rem; }
.actions .start { color: var(--on-accent); background: var(--accent); }
.actions .retry-all { color: var(--bad); }
button[data-icon] { width: 2.25rem; height: 2.25rem; padding: 0; font-size: 0; color: var(--faint); background: none; }
button[data-icon].retry, button[data-icon].undo { color: var(--accent); }
.details[aria-expanded="true"] svg { rotate: 180deg; }
@media (hover: hover) {
  button:hover { box-shadow: inset 0 0 0 9rem color-mix(in srgb, currentColor 9%, transparent); }
}
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
button:disabled, button[aria-disabled="true"] { opacity: 0.5; cursor: default; }
.choices, .buttons, .actions, .overview, .drop:has(~ .uploads > li) { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; }
.choices { justify-content: center; }
.buttons { grid-column: 3; }
.upload .buttons { flex-wrap: nowrap; gap: 0; }
.limits, .line, .total-words, .more, h2, .icon { color: var(--faint); font-size: 0.8125rem; }
.offline { color: var(--warn); background: color-mix(in srgb, var(--warn) 14%, transparent); border-radius: var(--small); padding: 0.5rem 0.75rem; }
.overview { position: relative; }
.overview:has(.total:not([hidden])) { padding-bottom: 0.5rem; }
.actions { margin-inline-start: auto; gap: 0.25rem; }
.overview p { display: inline; }
.summary, .name, .error-words, .drop-now { font-weight: 600; }
.total-words::before { content: " · "; }
ul, .unfinished-list { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.5rem; }
.uploads[data-long] {
  max-height: min(70vh, 48rem);
  overflow-y: auto;
  align-content: start;
}
.uploads[data-long] .upload { animation: none; }
.upload, .unfinished {
  position: relative;
  display: grid;
  grid-template-columns: 2.5rem minmax(0, 1fr) auto;
  align-items: center;
  gap: 0 0.75rem;
  min-height: 3.5rem;
  padding: 0.4rem 0.5rem;
  overflow: hidden;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: var(--radius);
}
.icon {
  position: relative;
  align-self: start;
  width: 2.5rem;
  height: 2.5rem;
  border-radius: var(--small);
  background: color-mix(in srgb, var(--faint) 9%, transparent);
  font-size: 0.625rem;
  font-weight: 700;
  text-transform: uppercase;
}
.icon::after {
  position: absolute;
  inset: auto -3px -3px auto;
  width: 1.1rem;
  border-radius: 50%;
  line-height: 1.1rem;
  text-align: center;
  color: var(--card);
}
[data-state="stored"] .icon::after { content: "✓"; background: var(--good); }
[data-state="failed"] .icon::after { content: "!"; background: var(--bad); }
[data-state="failed"] { background: color-mix(in srgb, var(--bad) 7%, var(--card)); }
.thumbnail { width: 2.5rem; height: 2.5rem; border-radius: inherit; object-fit: cover; }
.title { min-width: 0; }
.name { display: flex; width: fit-content; max-width: 100%; white-space: pre; }
.name > :first-child, .line { overflow: hidden; text-overflow: ellipsis; }
.line { white-space: nowrap; font-variant-numeric: tabular-nums; }
[data-state="failed"] .line, .unfinished .line { white-space: normal; overflow-wrap: anywhere; }
.path, .facts, code { unicode-bidi: plaintext; }
.line > :not(:first-child, :empty, .figures)::before, .figures > :not(:empty)::before { content: " · "; }
progress {
  appearance: none;
  position: absolute;
  inset: auto 0 0;
  width: 100%;
  height: 3px;
  border: 0;
  overflow: hidden;
  background: var(--line);
}
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
[data-state="paused"] { --accent: var(--faint); }
[data-held="busy"], [data-held="offline"] { --accent: color-mix(in srgb, var(--warn), #fb0); }
.notice:empty, .trouble:empty, .uploads:empty { display: none; }
[data-state="cancelled"] .name { color: var(--faint); }
.stored { color: var(--good); }
.error-words, .trouble { color: var(--bad); }
.more { grid-column: 1 / -1; display: grid; gap: 0.5rem; border-top: 1px solid var(--line); margin-top: 0.5rem; padding: 0.5rem 0; }
.result { display: grid; gap: 0.25rem; }
.result > div { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: 0.5rem; align-items: center; }
dd { color: var(--ink); display: flex; justify-content: space-between; align-items: center; gap: 0.5rem; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media (max-width: 30rem) {
  .speed, .drop:has(~ .uploads > li) > :is(.drop-icon, .drop-words), .total-words::before { display: none; }
  .result > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .drop:has(~ .uploads > li) > .choices, .choices button { flex: 1; }
  .total-words { display: block; }
  .actions { margin: 0; }
  .line { white-space: normal; }
  button[data-icon] { width: 1.9rem; }
  [data-state="failed"] .title { display: contents; }
  [data-state="failed"] .line { grid-area: 2 / 2 / auto / -1; }
  .unfinished .buttons { grid-column: 1 / -1; padding-block: 0.5rem; }
}
@media (prefers-reduced-motion: no-preference) {
  .upload { animation: appear 0.15s; }
  @keyframes appear { from { opacity: 0; transform: translateY(4px); } }
}
`;

const sheets = new Map<string, CSSStyleSheet>();

/** Returns the style sheet for some CSS; all elements share it. A policy of `style-src` does not block such sheets. */
export function styleOf(css: string = CSS): CSSStyleSheet {
  let sheet = sheets.get(css);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    // Test environments such as jsdom lack `replaceSync`.
    sheet.replaceSync?.(css);
    sheets.set(css, sheet);
  }
  return sheet;
}
