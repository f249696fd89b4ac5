// The stage: one photo, zoomed and panned, its two states divided by a line; or painted on.

const LARGEST_SCALE = 16;
const CLOSE = 3; // From this scale on pixels are shown as squares.
const MARGIN = 0.96; // Of the stage that a fitted photo takes, one way or the other.

export class Viewer {
  /**
   * @param {HTMLElement} stage
   * @param {{paint: (phase: string, x: number, y: number) => void,
   *          point: (x: number, y: number, event: PointerEvent|null) => void,
   *          zoomed: (scale: number, fitted: boolean) => void}} tell
   *   `paint` begins, goes on and ends with strokes, in pixels of the photo; `point` is told where
   *   the pointer is; `zoomed` of every other scale.
   */
  constructor(stage, tell) {
    this.stage = stage;
    this.tell = tell;
    this.divider = stage.querySelector("#divider");
    this.painting = false; // Whether pointers paint instead of pan.
    this.size = [0, 0];
    this.scale = 1;
    this.offset = [0, 0];
    this.fitted = true;
    this.pointers = new Map();
    this.cursor = null; // Of the brush, in pixels of the stage.
    this.listen();
    this.setSplit(0.5);
  }

  /** Another photo, shown as a whole. */
  show(width, height) {
    this.size = [width, height];
    this.stage.style.setProperty("--width", `${width}px`);
    this.stage.style.setProperty("--height", `${height}px`);
    this.fit();
  }

  fit() {
    this.fitted = true;
    this.place(this.fitScale(), [0, 0]);
  }

  /** Zooms by a factor about a point of the stage, its middle when not given. */
  zoom(factor, point = this.middle()) {
    this.zoomTo(this.scale * factor, point);
  }

  zoomTo(scale, point = this.middle()) {
    const least = Math.min(this.fitScale(), 1);
    const bounded = Math.min(LARGEST_SCALE, Math.max(least, scale));
    const ratio = bounded / this.scale;
    const offset = this.offset.map((start, axis) => point[axis] - ratio * (point[axis] - start));
    this.fitted = Math.abs(bounded / this.fitScale() - 1) < 0.001;
    this.place(bounded, offset);
  }

  pan(x, y) {
    this.place(this.scale, [this.offset[0] + x, this.offset[1] + y]);
  }

  /** Moves the line between before and after; 0 shows all of after, 1 all of before. */
  setSplit(share) {
    this.split = Math.min(1, Math.max(0, share));
    this.stage.style.setProperty("--split", `${100 * this.split}%`);
    this.divider.setAttribute("aria-valuenow", Math.round(100 * this.split));
    this.divider.setAttribute("aria-valuetext", `${Math.round(100 * this.split)} % before`);
    const hidden = (id, when) => (this.stage.querySelector(id).style.opacity = when ? 0 : 1);
    hidden("#tag-before", this.split < 0.12);
    hidden("#tag-after", this.split > 0.88);
  }

  /** The pixel of the photo under a point of the stage. */
  pixelAt([x, y]) {
    return [(x - this.offset[0]) / this.scale, (y - this.offset[1]) / this.scale];
  }

  /** The point of the stage at which a pixel of the photo lies. */
  pointAt([x, y]) {
    return [x * this.scale + this.offset[0], y * this.scale + this.offset[1]];
  }

  fitScale() {
    const [width, height] = this.room();
    const [across, down] = this.size;
    if (!across || !width) return 1;
    return Math.min((width * MARGIN) / across, (height * MARGIN) / down);
  }

  room() {
    return [this.stage.clientWidth, this.stage.clientHeight];
  }

  middle() {
    return this.room().map((side) => side / 2);
  }

  /** Keeps the photo in sight: in the middle where there is room, else without gaps at its edges. */
  place(scale, offset) {
    this.scale = scale;
    this.offset = this.room().map((room, axis) => {
      const free = room - this.size[axis] * scale;
      return free >= 0 ? free / 2 : Math.min(0, Math.max(free, offset[axis]));
    });
    const style = this.stage.style;
    style.setProperty("--scale", scale);
    style.setProperty("--x", `${this.offset[0]}px`);
    style.setProperty("--y", `${this.offset[1]}px`);
    this.stage.classList.toggle("close", scale * devicePixelRatio >= CLOSE);
    this.tell.zoomed(scale, this.fitted);
  }

  listen() {
    new ResizeObserver(() => {
      if (this.fitted) this.fit();
      else this.place(this.scale, this.offset);
    }).observe(this.stage);
    this.stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.onDown(event));
    this.stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, (event) => this.onUp(event));
    }
    this.stage.addEventListener("pointerleave", () => this.tell.point(-1, -1, null));
    this.stage.addEventListener("dblclick", (event) => {
      if (!this.painting && this.isPhoto(event)) this.toggleZoom(this.pointOf(event));
    });
  }

  /** From the whole photo to its actual pixels and back. */
  toggleZoom(point = this.middle()) {
    if (this.fitted) this.zoomTo(this.fitScale() < 1 ? 1 / devicePixelRatio : 4, point);
    else this.fit();
  }

  onWheel(event) {
    if (!this.size[0]) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), this.pointOf(event));
  }

  onDown(event) {
    if (!this.size[0] || event.button > 0) return;
    const onDivider = this.divider.contains(event.target);
    if (!onDivider && !this.isPhoto(event)) return;
    this.stage.setPointerCapture(event.pointerId);
    const point = this.pointOf(event);
    const does = onDivider ? "divide" : this.painting && !this.pointers.size ? "paint" : "pan";
    // A second finger turns the first one's stroke into a pinch.
    if (this.pointers.size) this.endStroke();
    this.pointers.set(event.pointerId, { point, does });
    this.cursor = point;
    this.tell.point(...this.pixelAt(point), event);
    if (does === "paint") this.tell.paint("begin", ...this.pixelAt(point));
    this.stage.classList.toggle("moving", does === "pan");
  }

  onMove(event) {
    const held = this.pointers.get(event.pointerId);
    const point = this.pointOf(event);
    if (!held) {
      this.cursor = point;
      this.tell.point(...this.pixelAt(point), event);
      return;
    }
    if (held.does === "divide") this.setSplit(point[0] / this.stage.clientWidth);
    else if (this.pointers.size === 2) this.pinch(event.pointerId, point);
    else if (held.does === "pan") this.pan(point[0] - held.point[0], point[1] - held.point[1]);
    else this.tell.paint("extend", ...this.pixelAt(point));
    this.cursor = point;
    this.tell.point(...this.pixelAt(point), event);
    held.point = point;
  }

  onUp(event) {
    const held = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    this.stage.classList.remove("moving");
    if (held?.does === "paint") this.tell.paint("end", ...this.pixelAt(held.point));
  }

  endStroke() {
    for (const held of this.pointers.values()) {
      if (held.does === "paint") this.tell.paint("cancel", 0, 0);
      held.does = "pan";
    }
  }

  /** Two fingers: what was between them stays between them. */
  pinch(moved, point) {
    const [one, other] = [...this.pointers.entries()].map(([id, held]) => ({ id, ...held }));
    const still = one.id === moved ? other : one;
    const before = (one.id === moved ? one : other).point;
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const [from, to] = [middle(before, still.point), middle(point, still.point)];
    this.zoom(apart(point, still.point) / apart(before, still.point), from);
    this.pan(to[0] - from[0], to[1] - from[1]);
  }

  pointOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Whether an event is meant for the photo, and not for a button that lies over it. */
  isPhoto(event) {
    return !event.target.closest("button, dialog, #welcome, #divider");
  }
}
