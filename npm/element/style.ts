// How `<direct-put>` looks. Colours and corners are variables, everything else can be had by `::part(…)`.

const CSS = `
:host {
  --accent: var(--directput-accent, light-dark(#0b5fd0, #6cb0ff));
  --on-accent: var(--directput-on-accent, light-dark(#ffffff, #14171a));
  --ink: var(--directput-ink, light-dark(#1b1f24, #e8ebee));
  --faint: var(--directput-faint, light-dark(#57606a, #9aa4ae));
  --card: var(--directput-card, light-dark(#f4f6f8, #1d2226));
  --line: var(--directput-line, light-dark(#d0d7de, #3a424a));
  --good: var(--directput-good, light-dark(#1a7f37, #56d364));
  --bad: var(--directput-bad, light-dark(#b3261e, #ff8a80));
  --radius: var(--directput-radius, 12px);
  display: grid;
  gap: 1rem;
  color: var(--ink);
  font-family: inherit;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
h2, p, ul, ol, dl, dd { margin: 0; padding: 0; }
h2 { font-size: 1.15em; }
ul, ol { list-style: none; display: grid; gap: 1rem; }
.drop, .unfinished-list, .upload {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: var(--radius);
  padding: 1.25rem;
  display: grid;
  gap: 0.9rem;
}
.drop {
  border: 2px dashed var(--line);
  justify-items: center;
  padding: 2rem 1rem;
  text-align: center;
}
:host([data-over]) .drop {
  border-color: var(--accent);
  background: color-mix(in srgb, var(--accent) 10%, var(--card));
}
input[type="file"], .status {
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
  border-radius: calc(var(--radius) * 0.66);
  padding: 0.5rem 1rem;
  cursor: pointer;
}
.buttons button, .choose-folder, .copy { color: var(--ink); background: none; border-color: var(--line); }
.buttons button.retry, .buttons button.go-on { color: var(--on-accent); background: var(--accent); }
button:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button:disabled, button[aria-disabled="true"] { opacity: 0.5; cursor: default; }
.choices, .buttons, .phases { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.choices { justify-content: center; }
.title { display: grid; grid-template-columns: auto 1fr; gap: 0 0.75rem; align-items: center; overflow-wrap: anywhere; }
.title > div { min-width: 0; }
.name { font-weight: bold; }
.facts, .percent ~ span, dt, .notice, .summary, .error-code { color: var(--faint); }
.thumbnail { grid-row: 1; width: 3rem; height: 3rem; border-radius: 6px; object-fit: cover; }
.title:not(:has(.thumbnail)) { grid-template-columns: 1fr; }
.phases li { border: 1px solid var(--line); border-radius: 999px; padding: 0.05rem 0.75rem; color: var(--faint); }
.phases .active { border-color: var(--accent); color: var(--accent); }
.phases .done { border-color: var(--good); color: var(--good); }
.phases .done::before { content: "✓ "; }
.bar {
  appearance: none;
  width: 100%;
  height: 0.6rem;
  border: 0;
  border-radius: 999px;
  overflow: hidden;
  background: var(--line);
  accent-color: var(--accent);
}
.bar::-webkit-progress-bar { background: var(--line); }
.bar::-webkit-progress-value { background: var(--accent); }
.bar::-moz-progress-bar { background: var(--accent); }
[data-state="stored"] .bar::-webkit-progress-value { background: var(--good); }
[data-state="stored"] .bar::-moz-progress-bar { background: var(--good); }
.figures { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; font-variant-numeric: tabular-nums; }
.notice:empty, .trouble:empty, .end:empty, .uploads:empty { display: none; }
.stored { color: var(--good); font-weight: bold; }
summary.stored { cursor: pointer; }
dl { display: grid; gap: 0.5rem; margin-top: 0.75rem; }
dl > div { display: grid; grid-template-columns: 5.5rem 1fr auto; gap: 0.5rem; align-items: center; }
dd { overflow-wrap: anywhere; min-width: 0; }
code { font-size: 0.9em; }
.copy { padding: 0.15rem 0.6rem; font-size: 0.85em; }
.unfinished { display: grid; gap: 0.75rem; }
.error { display: grid; gap: 0.4rem; }
.error-words { font-weight: bold; }
.error-words, .trouble, .offline { color: var(--bad); }
.offline { border: 1px solid var(--bad); border-radius: calc(var(--radius) * 0.66); padding: 0.6rem 1rem; }
[hidden] { display: none !important; }
@media (max-width: 30rem) {
  .drop, .unfinished-list, .upload { padding: 1rem; }
  dl > div { grid-template-columns: 1fr auto; }
  dt { grid-column: 1 / -1; }
}
@media (prefers-reduced-motion: no-preference) {
  .upload { animation: directput-in 0.15s ease-out; }
  @keyframes directput-in { from { opacity: 0; transform: translateY(4px); } }
}
`;

let sheet: CSSStyleSheet | undefined;

/** One sheet for all of them. A policy of `style-src` has nothing to say about it. */
export function style(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    // Test environments that are no browsers have nothing to draw.
    sheet.replaceSync?.(CSS);
  }
  return sheet;
}
