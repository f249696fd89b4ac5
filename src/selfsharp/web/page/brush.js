// The brush: paints on the mask of the photo in sight, by pointer or by keys.

const HINTS = {
  look: "",
  sharpen: "Paint what is to be sharpened",
  protect: "Paint what is to stay as it is",
};

export class Brush {
  /**
   * @param {Viewer} viewer whose pointers paint while there is a tool.
   * @param {HTMLInputElement} size
   * @param {() => Mask|null} mask of the photo in sight.
   * @param {() => void} painted is told of every finished stroke.
   */
  constructor(viewer, size, mask, painted) {
    this.viewer = viewer;
    this.size = size;
    this.mask = mask;
    this.painted = painted;
    this.circle = viewer.stage.querySelector("#brush");
    this.tool = "look"; // sharpen, protect
    this.stroke = null;
    size.addEventListener("input", () => this.show());
  }

  /** Takes up a tool; "look" puts it down. */
  take(tool) {
    this.tool = tool;
    this.viewer.painting = tool !== "look";
    document.body.dataset.tool = tool;
    for (const id of ["sharpen", "protect"]) {
      document.getElementById(id).setAttribute("aria-pressed", id === tool);
    }
    document.getElementById("brush-hint").textContent = HINTS[tool];
    if (this.viewer.painting) this.viewer.cursor ??= this.viewer.middle();
    this.show();
  }

  /** Radius in pixels of the stage, so that zooming in makes the brush finer. */
  get radius() {
    return 4 * 2 ** (this.size.value / 20);
  }

  resize(by) {
    this.size.value = Number(this.size.value) + by;
    this.show();
  }

  show() {
    const { cursor } = this.viewer;
    this.circle.classList.toggle("there", Boolean(cursor));
    if (!cursor) return;
    const side = `${2 * this.radius}px`;
    const [left, top] = cursor.map((place) => `${place}px`);
    Object.assign(this.circle.style, { left, top, width: side, height: side });
  }

  /** Moves by so many steps, within the stage. */
  move(across, down) {
    const by = Math.max(4, this.radius / 2);
    const room = this.viewer.room();
    const steps = [across, down];
    this.viewer.cursor = this.viewer.cursor.map((place, axis) =>
      Math.min(room[axis], Math.max(0, place + by * steps[axis])),
    );
    this.show();
  }

  /** Paints where the brush is. */
  dab() {
    if (!this.viewer.painting) return;
    const place = this.viewer.pixelAt(this.viewer.cursor);
    this.paint("begin", ...place);
    this.paint("extend", ...place);
    this.paint("end", ...place);
  }

  /** Begins, goes on with, ends or takes back a stroke at a pixel of the photo. */
  paint(phase, x, y) {
    const mask = this.mask();
    if (phase === "begin") {
      const radius = this.radius / this.viewer.scale;
      this.stroke = mask.add({ kind: this.tool, points: [[x, y]], radius });
      return;
    }
    if (!this.stroke) return;
    if (phase === "extend") {
      mask.extend(this.stroke, x, y);
      return;
    }
    this.stroke = null;
    if (phase === "end") this.painted();
    else mask.takeBack();
  }
}
