// The blur map and whatever else the server knows of each 4x4 pixels: as colours, in words, and
// by the sharp place that they were told of.

const CELL = 4;
// Dark violet to yellow in even steps of lightness, as in the pictures of `selfsharp map`.
const COLOURS = [
  [28, 16, 68], [106, 28, 129], [181, 54, 122], [241, 96, 93], [254, 176, 120], [252, 253, 191],
];

/**
 * What is told of a place when one points at it: each is given the cell's red, green and blue in
 * 0..1 and the report, and answers a line or nothing.
 */
const READOUTS = [
  ([radius], report) =>
    radius > 0 ? `blur radius ${(radius * report.largest_radius).toFixed(1)} px` : "sharp: untouched",
  ([radius, gate]) => (radius > 0 ? `restored ${Math.round(100 * gate)} %` : null),
  ([, , like]) => (like > 0 ? `refers to a sharp place, ${Math.round(100 * like)} % like it` : null),
];

export class BlurMap {
  /** Reads the output `cells`, and `origins` where there is one. */
  static async read({ cells, origins }, report) {
    return new BlurMap(await valuesOf(cells), origins ? await valuesOf(origins) : null, report);
  }

  constructor(cells, origins, report) {
    this.cells = cells;
    this.origins = origins;
    this.report = report;
  }

  /** A canvas of one pixel for every cell, in colours; clear where the photo is sharp. */
  coloured() {
    return this.painted((radius) => [...colourOf(radius), radius > 0 ? 255 : 0]);
  }

  /** A canvas that is opaque where the photo was found to be blurred. */
  blurred() {
    return this.painted((radius) => [255, 255, 255, radius > 0 ? 255 : 0]);
  }

  /** Lines on a place of the photo, given in pixels. */
  readout(x, y) {
    const place = this.placeOf(x, y);
    if (place < 0) return "";
    const values = this.at(place);
    return READOUTS.map((tell) => tell(values, this.report)).filter(Boolean).join("\n");
  }

  /** The sharp pixel that a blurred one was told of; nothing if there is none. */
  originOf(x, y) {
    const place = this.placeOf(x, y);
    if (!this.origins || place < 0 || this.at(place)[2] === 0) return null;
    const [high, middle, low] = this.origins.data.subarray(4 * place);
    const number = 65536 * high + 256 * middle + low;
    const [column, row] = [number % this.cells.width, Math.floor(number / this.cells.width)];
    return [CELL * (column + 0.5), CELL * (row + 0.5)];
  }

  /** The number of the cell that a pixel lies in; -1 beyond the photo. */
  placeOf(x, y) {
    const column = Math.floor(x / CELL);
    const row = Math.floor(y / CELL);
    const { width, height } = this.cells;
    return column < 0 || row < 0 || column >= width || row >= height ? -1 : row * width + column;
  }

  at(place) {
    return [0, 1, 2].map((channel) => this.cells.data[4 * place + channel] / 255);
  }

  /** A canvas of one pixel for every cell, coloured by its radius in 0..1. */
  painted(colour) {
    const { width, height, data } = this.cells;
    // A large photo has millions of cells, but a radius only 256 values.
    const table = Array.from({ length: 256 }, (_, value) => Uint8Array.from(colour(value / 255)));
    const pixels = new ImageData(width, height);
    for (let place = 0; place < data.length; place += 4) {
      pixels.data.set(table[data[place]], place);
    }
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    return canvas;
  }
}

/** The numbers of a picture themselves, not as a screen would show them. */
async function valuesOf(file) {
  const decoding = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const picture = await createImageBitmap(file, decoding);
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  return pen.getImageData(0, 0, picture.width, picture.height);
}

function colourOf(value) {
  const place = Math.min(value, 0.9999) * (COLOURS.length - 1);
  const [low, high] = [COLOURS[Math.floor(place)], COLOURS[Math.floor(place) + 1]];
  const share = place % 1;
  return low.map((channel, number) => channel + share * (high[number] - channel));
}
