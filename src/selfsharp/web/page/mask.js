// The mask a user paints: what is to be sharpened, and what is protected. A list of steps, so
// that every one can be undone; drawn anew from the first when it changes.

const LARGEST = 2048; // Pixels of the longest side that is painted on; enough for a brush.
const PAINT = "rgb(255, 92, 56)";

export class Mask {
  /**
   * @param {number} width of the photo, in pixels.
   * @param {number} height of the photo, in pixels.
   * @param {HTMLCanvasElement|null} found opaque where the photo was found to be blurred.
   */
  constructor(width, height, found = null) {
    this.width = width;
    this.height = height;
    this.found = found;
    this.scale = Math.min(1, LARGEST / Math.max(width, height));
    this.canvas = document.createElement("canvas");
    this.canvas.width = Math.max(1, Math.round(width * this.scale));
    this.canvas.height = Math.max(1, Math.round(height * this.scale));
    this.steps = [];
    this.undone = [];
    this.draw();
  }

  /** Whether the user decides; else the mask is what the detector finds. */
  get given() {
    return this.steps.length > 0 && this.steps.at(-1).kind !== "as-found";
  }

  /** Adds a step: "sharpen" and "protect" are strokes, "take-found", "clear" and "as-found" not. */
  add(step) {
    this.steps.push(step);
    this.undone = [];
    this.drawStep(step);
    return step;
  }

  /** Goes on with a stroke to another point of the photo, in pixels. */
  extend(stroke, x, y) {
    stroke.points.push([x, y]);
    this.drawStroke({ ...stroke, points: stroke.points.slice(-2) });
  }

  undo() {
    if (this.steps.length) this.undone.push(this.steps.pop());
    this.draw();
  }

  /** Undoes for good. */
  takeBack() {
    this.steps.pop();
    this.draw();
  }

  redo() {
    if (this.undone.length) this.steps.push(this.undone.pop());
    this.draw();
  }

  draw() {
    this.fill("found");
    for (const step of this.steps) this.drawStep(step);
  }

  drawStep(step) {
    if (step.kind === "clear") this.fill("nothing");
    else if (step.points) this.drawStroke(step);
    else this.fill("found");
  }

  /** Starts with what was found, or with nothing. */
  fill(what) {
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (what !== "found" || !this.found) return;
    pen.save();
    // Smoothed, so that its outline has no steps. The last cells may reach over the photo's edge.
    pen.imageSmoothingQuality = "high";
    const cell = 4 * this.scale;
    pen.drawImage(this.found, 0, 0, this.found.width * cell, this.found.height * cell);
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = PAINT;
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    pen.restore();
  }

  drawStroke({ kind, points, radius }) {
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.save();
    pen.scale(this.scale, this.scale);
    pen.globalCompositeOperation = kind === "protect" ? "destination-out" : "source-over";
    pen.strokeStyle = pen.fillStyle = PAINT;
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = 2 * radius;
    // A line of no length is not drawn: a click is a dot.
    pen.beginPath();
    pen.arc(...points[0], radius, 0, 2 * Math.PI);
    pen.fill();
    pen.beginPath();
    pen.moveTo(...points[0]);
    for (const point of points) pen.lineTo(...point);
    pen.stroke();
    pen.restore();
  }

  /** A PNG of the photo's size: white where it is to be sharpened, else black, nothing between. */
  async toPng() {
    const { width, height } = this.canvas;
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    const pixels = pen.getImageData(0, 0, width, height);
    const values = new Uint32Array(pixels.data.buffer);
    const opaque = 0xff000000; // Little-endian, as every browser's computer is.
    for (let place = 0; place < values.length; place += 1) {
      values[place] = values[place] >>> 24 > 127 ? 0xffffffff : opaque;
    }
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    small.getContext("2d").putImageData(pixels, 0, 0);
    const whole = document.createElement("canvas");
    whole.width = this.width;
    whole.height = this.height;
    const wide = whole.getContext("2d", { alpha: false });
    wide.imageSmoothingEnabled = false;
    wide.drawImage(small, 0, 0, this.width, this.height);
    return new Promise((resolve) => whole.toBlob(resolve, "image/png"));
  }
}
