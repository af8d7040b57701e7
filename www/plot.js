// Draws the total speed of uploads during the last minute, and the state of each part of a large file that is under way.

const SAMPLE_EVERY_MS = 250;
const SAMPLES = 240;
/** Maximum width of the cell for a part, in CSS pixels. */
const CELL_PX = 18;
const SPEED_PX = 140;
/** The time axis is at least this long, so that the first samples do not jump. */
const FEWEST_SAMPLES = 21;
const MIB = 2 ** 20;
const STATES = ['hashing', 'hashed', 'sending', 'stored'];

export class Plot {
  #section;
  #uploads = new Map();
  #samples = [];
  /** The parts of each file. A file of an upload that the browser resumes by itself is undefined. */
  #files = new Map();
  #shown;
  #timer;

  constructor(section) {
    this.#section = section;
    // After the last upload, nothing else draws again.
    const redraw = () => this.#samples.length > 0 && this.#draw();
    addEventListener('resize', redraw);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  }

  /** Returns a listener of the parts of a file. */
  follow(file) {
    const own = { file, states: [], count: 0, isOver: false };
    this.#files.set(file, own);
    return ({ number, state }) => {
      own.states[number - 1] = state;
    };
  }

  progress({ upload, file, progress }) {
    this.#uploads.set(upload, progress);
    const own = this.#files.get(file);
    if (own && progress.parts > 1) {
      own.count = progress.parts;
      if (progress.confirmedParts === progress.parts) own.states = new Array(progress.parts).fill('stored');
    }
    this.#start();
  }

  end({ upload, file }) {
    this.#uploads.delete(upload);
    const own = this.#files.get(file);
    if (own) own.isOver = true;
    this.#files.delete(file);
  }

  #start() {
    if (this.#timer) return;
    this.#section.hidden = false;
    this.#samples = [];
    this.#timer = setInterval(() => this.#tick(), SAMPLE_EVERY_MS);
  }

  #tick() {
    let speed = 0;
    for (const { bytesPerSecond } of this.#uploads.values()) speed += bytesPerSecond;
    this.#samples.push(speed);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    // The file that is shown stays until it ends and another large one is under way.
    if (!this.#shown || this.#shown.isOver) {
      this.#shown = [...this.#files.values()].find(({ count }) => count > 1) ?? this.#shown;
    }
    this.#draw();
    if (this.#uploads.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #draw() {
    this.#drawSpeed(this.#samples.at(-1));
    this.#drawParts();
  }

  #drawSpeed(speed) {
    const { context, width } = surface(document.getElementById('speed'), SPEED_PX);
    const peak = Math.max(...this.#samples);
    const step = stepOf(peak / MIB);
    const top = Math.max(step, Math.ceil(peak / MIB / step) * step);
    const [low, high] = [SPEED_PX - 18, 8];
    const left = 34;
    const count = Math.max(this.#samples.length, FEWEST_SAMPLES);
    const x = (index) => left + (index / (count - 1)) * (width - left);
    const y = (value) => low - (value / top) * (low - high);
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = colorOf('.small');
    context.strokeStyle = color('hashing');
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (let value = 0; value <= top; value += step) {
      context.fillText(value, left - 6, y(value));
      context.beginPath();
      context.moveTo(left, Math.round(y(value)) + 0.5);
      context.lineTo(width, Math.round(y(value)) + 0.5);
      context.stroke();
    }
    context.textBaseline = 'alphabetic';
    context.fillText(`${Math.round(((count - 1) * SAMPLE_EVERY_MS) / 1000)} s`, width, SPEED_PX - 2);
    context.textAlign = 'left';
    context.fillText('0', left, SPEED_PX - 2);
    context.fillText('MiB/s', left + 4, high + 14);
    const line = () => {
      context.beginPath();
      for (const [index, value] of this.#samples.entries()) context.lineTo(x(index), y(value / MIB));
    };
    line();
    context.lineTo(x(this.#samples.length - 1), low);
    context.lineTo(left, low);
    context.globalAlpha = 0.2;
    context.fillStyle = color('sending');
    context.fill();
    context.globalAlpha = 1;
    line();
    context.strokeStyle = color('sending');
    context.lineWidth = 2;
    context.stroke();
    const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB/s`;
    document.getElementById('speed-words').textContent = `Now ${mib(speed)}, at most ${mib(peak)}.`;
  }

  #drawParts() {
    const canvas = document.getElementById('parts');
    const { states = [], count = 0, file } = this.#shown ?? {};
    canvas.parentElement.hidden = count < 2;
    if (count < 2) return;
    const { clientWidth } = canvas.parentElement;
    const columns = Math.max(Math.ceil(clientWidth / CELL_PX), Math.ceil(Math.sqrt(count * 4)));
    const rows = Math.ceil(count / columns);
    const cell = clientWidth / columns;
    const { context } = surface(canvas, Math.ceil(rows * cell));
    const colors = Object.fromEntries(STATES.map((state) => [state, color(state)]));
    const gap = cell > 6 ? 2 : 0;
    for (let index = 0; index < count; index += 1) {
      const [x, y] = [(index % columns) * cell, Math.floor(index / columns) * cell];
      const state = states[index];
      if (state) {
        context.fillStyle = colors[state];
        context.fillRect(x, y, cell - gap, cell - gap);
      } else {
        context.strokeStyle = colors.hashing;
        context.strokeRect(x + 0.5, y + 0.5, cell - gap - 1, cell - gap - 1);
      }
    }
    const stored = states.filter((state) => state === 'stored').length;
    document.getElementById('parts-words').textContent = `${file?.name ?? 'A file'}: ${stored} of ${count} parts.`;
  }
}

/** Clears a canvas and fits it to its figure's width, this height in CSS pixels, and the screen's resolution. */
function surface(canvas, height) {
  const width = canvas.parentElement.clientWidth;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const context = canvas.getContext('2d');
  context.scale(devicePixelRatio, devicePixelRatio);
  return { context, width };
}

/** Returns a step of the axis with which at most four lines reach a value: 1, 2 or 5 times a power of ten. */
function stepOf(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1) / 4));
  return [1, 2, 5, 10].map((times) => Math.max(1, times * power)).find((step) => value / step <= 4);
}

/** Returns the colour of a state in the current theme, from the legend. */
const color = (state) => colorOf(`.key.${state}`);

const colorOf = (selector) => getComputedStyle(document.querySelector(selector)).color;
