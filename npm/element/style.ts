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
  --radius: var(--directput-radius, 12px);
  display: grid;
  gap: 1rem;
  color: var(--ink);
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
h2, p, ul, ol { margin: 0; padding: 0; }
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
  cursor: pointer;
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
.buttons button, .actions button, .choose-folder, .copy { color: var(--ink); background: none; border-color: var(--line); }
.buttons .retry, .buttons .go-on, .actions .start { color: var(--on-accent); background: var(--accent); }
button:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button:disabled, button[aria-disabled="true"] { opacity: 0.5; cursor: default; }
.choices, .buttons, .phases, .actions, .figures { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.choices { justify-content: center; }
.limits { color: var(--faint); font-size: 0.9em; }
.overview, .unfinished { display: grid; gap: 0.75rem; }
.total, .error { display: grid; gap: 0.4rem; }
.uploads[data-long] {
  max-height: min(70vh, 48rem);
  overflow-y: auto;
  align-content: start;
}
.uploads[data-long] .upload { animation: none; }
.title { display: flex; gap: 0.75rem; align-items: center; overflow-wrap: anywhere; }
.title > div { min-width: 0; }
.name, .path, .facts, code { unicode-bidi: plaintext; }
.facts, .path, .percent ~ span, .notice, .summary, .error-code { color: var(--faint); }
.thumbnail { flex: none; width: 3rem; height: 3rem; border-radius: 6px; object-fit: cover; }
progress {
  appearance: none;
  width: 100%;
  height: 0.6rem;
  border: 0;
  border-radius: 999px;
  overflow: hidden;
  background: var(--line);
  accent-color: var(--accent);
}
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
[data-state="stored"] { --accent: var(--good); }
.figures { justify-content: space-between; gap: 0 1rem; font-variant-numeric: tabular-nums; }
.notice:empty, .trouble:empty, .end:empty, .uploads:empty { display: none; }
[data-state="cancelled"] .name { color: var(--faint); }
.stored { color: var(--good); }
code { font-size: 0.9em; }
.name, .stored, .error-words { font-weight: bold; }
.error-words, .trouble, .offline { color: var(--bad); }
.offline { border: 1px solid var(--bad); border-radius: calc(var(--radius) * 0.66); padding: 0.6rem 1rem; }
[hidden] { display: none !important; }
@media (max-width: 30rem) {
  .drop, .unfinished-list, .upload { padding: 1rem; }
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
