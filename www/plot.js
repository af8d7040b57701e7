// Draws the total speed of uploads during the last minute, and the state of each part of the latest large file.

const SAMPLE_EVERY_MS = 250;
const SAMPLES = 240;
/** Maximum width of the cell for a part, in CSS pixels. */
const CELL_PX = 18;
const SPEED_PX = 110;
const STATES = ['hashing', 'hashed', 'sending', 'stored'];

export class Plot {
  #section;
  #uploads = new Map();
  #samples = [];
  #peak = 1;
  #parts;
  #timer;

  constructor(section) {
    this.#section = section;
  }

  progress({ upload, file, progress }) {
    this.#uploads.set(upload, progress);
    if (progress.parts > 1 && this.#parts?.file === file && progress.confirmedParts === progress.parts) {
      this.#parts.states = new Array(progress.parts).fill('stored');
    }
    if (progress.parts > 1 && this.#parts?.file === file) this.#parts.count = progress.parts;
    this.#start();
  }

  part(file, { number, state }) {
    if (this.#parts?.file !== file) {
      // Ignores a file sent in a single PUT, so that it does not replace a file with several parts.
      if (number === 1 && state === 'hashing' && (file?.size ?? 0) <= 16 << 20) return;
      this.#parts = { file, states: [], count: 0 };
    }
    this.#parts.states[number - 1] = state;
  }

  end({ upload }) {
    this.#uploads.delete(upload);
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
    this.#peak = Math.max(1, ...this.#samples);
    this.#drawSpeed(speed);
    this.#drawParts();
    if (this.#uploads.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #drawSpeed(speed) {
    const height = SPEED_PX;
    const { context, width } = surface(document.getElementById('speed'), height);
    const x = (index) => (index / (SAMPLES - 1)) * width;
    const y = (value) => height - 2 - (value / this.#peak) * (height - 6);
    context.beginPath();
    context.moveTo(0, height);
    for (const [index, value] of this.#samples.entries()) context.lineTo(x(index), y(value));
    context.lineTo(x(this.#samples.length - 1), height);
    context.globalAlpha = 0.2;
    context.fillStyle = color('sending');
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    for (const [index, value] of this.#samples.entries()) context.lineTo(x(index), y(value));
    context.strokeStyle = color('sending');
    context.lineWidth = 2;
    context.stroke();
    const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB/s`;
    document.getElementById('speed-words').textContent = `Now ${mib(speed)}, at most ${mib(this.#peak)}.`;
  }

  #drawParts() {
    const canvas = document.getElementById('parts');
    const { states = [], count = 0, file } = this.#parts ?? {};
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

/** Returns the colour of a state in the current theme, from the legend. */
function color(state) {
  return getComputedStyle(document.querySelector(`.key.${state}`)).color;
}
