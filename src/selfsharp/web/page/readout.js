// What is told of the place under the pointer: in words, and by a line to where it came from.

export class Readout {
  /** @param {Viewer} viewer of the stage that it is shown on. */
  constructor(viewer) {
    this.viewer = viewer;
    this.words = viewer.stage.querySelector("#readout");
    this.origin = viewer.stage.querySelector("#origin");
  }

  /** Tells what a blur map knows of a pixel; nothing without a map. */
  show(map, x, y) {
    this.showWords(map?.readout(x, y));
    this.showOrigin(map?.originOf(x, y));
  }

  hide() {
    this.show(null, -1, -1);
  }

  showWords(words) {
    this.words.hidden = !words;
    if (!words) return;
    this.words.textContent = words;
    const [left, top] = this.viewer.cursor;
    const [width, height] = this.viewer.room();
    const { offsetWidth, offsetHeight, style } = this.words;
    const before = left + offsetWidth + 24 > width;
    style.left = `${before ? left - offsetWidth - 14 : left + 14}px`;
    style.top = `${Math.min(top + 14, height - offsetHeight - 8)}px`;
  }

  /** A line from the pointer to the sharp place that the one under it was told of. */
  showOrigin(pixel) {
    this.origin.toggleAttribute("hidden", !pixel);
    if (!pixel) return;
    const [line, circle] = this.origin.children;
    const [from, to] = [this.viewer.cursor, this.viewer.pointAt(pixel)];
    const away = Math.hypot(to[0] - from[0], to[1] - from[1]);
    // It ends at the circle, and there is none within.
    const share = Math.max(0, 1 - circle.r.baseVal.value / (away || 1));
    const end = from.map((start, axis) => start + share * (to[axis] - start));
    place(line, { x1: from[0], y1: from[1], x2: end[0], y2: end[1] });
    place(circle, { cx: to[0], cy: to[1] });
  }
}

function place(shape, values) {
  for (const [name, value] of Object.entries(values)) shape.setAttribute(name, value);
}
