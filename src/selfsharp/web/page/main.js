// The page: what the user does, and what is shown of it.

import { Brush } from "./brush.js";
import { bindKeys } from "./keyboard.js";
import { Photo } from "./photo.js";
import { Readout } from "./readout.js";
import { readHealth } from "./server.js";
import { Strip } from "./strip.js";
import { Viewer } from "./viewer.js";
import { Work } from "./work.js";

const at = (id) => document.getElementById(id);
const stage = at("stage");
const STEP = 0.05; // Of the stage or of the strength, by which keys move things.

const photos = [];
let current = null;
let limits = null;

const paint = (phase, x, y) => brush.paint(phase, x, y);
const viewer = new Viewer(stage, { paint, point, zoomed });
const readout = new Readout(viewer);
const brush = new Brush(viewer, at("size"), () => current?.mask, () => change());
const work = new Work(inOrder, changed);
const strip = new Strip(at("strip"), { select, remove, saveAll });

/* Photos in, photos out */

function add(files) {
  const added = [...files].map((file) => new Photo(file));
  photos.push(...added);
  if (added.length) select(added[0]);
  for (const photo of added) {
    const told = refusedAtOnce(photo.file);
    if (told) Object.assign(photo, { state: "refused", told });
  }
  strip.show(photos, current);
  work.wake();
  lookAt(added);
}

/** One after the other: each takes the memory of a whole photo for a moment. */
async function lookAt(added) {
  for (const photo of added) {
    await photo.look();
    changed(photo);
  }
}

/** What need not be sent to be refused. */
function refusedAtOnce(file) {
  if (!limits) return "";
  const ending = /\.\w+$/.exec(file.name.toLowerCase())?.[0] ?? "";
  if (!limits.endings.includes(ending)) {
    return `${file.name} is of a kind that cannot be read. Save it as JPEG, PNG, WebP, TIFF or AVIF first.`;
  }
  const megabytes = Math.round(file.size / 1e6);
  if (file.size < limits.max_megabytes * 1e6) return "";
  return `${file.name} has ${megabytes} MB, and ${limits.max_megabytes} are taken. Save it smaller.`;
}

function remove(photo) {
  const place = photos.indexOf(photo);
  photos.splice(place, 1);
  photo.forget();
  if (photo === current) select(photos[Math.min(place, photos.length - 1)] ?? null);
  strip.show(photos, current);
  work.wake();
}

/** The photo in sight first: the others follow in their order. */
function inOrder() {
  return current ? [current, ...photos.filter((photo) => photo !== current)] : photos;
}

function select(photo) {
  if (photo === current) return;
  current = photo;
  viewer.size = [0, 0];
  setTool("look");
  setMapped(false);
  strip.show(photos, current);
  show();
  work.wake();
}

function step(by) {
  const place = photos.indexOf(current) + by;
  if (photos[place]) select(photos[place]);
}

async function save() {
  const photo = current;
  if (at("save").disabled) return;
  // Asked for too early, it comes as soon as it is there.
  photo.saving = work.pending(photo);
  if (photo.saving) show();
  else download(photo.restored);
}

/** Every photo whose file is there as it is wanted. */
async function saveAll() {
  for (const photo of photos.filter((one) => one.restored && !work.pending(one))) {
    download(photo.restored);
    await new Promise((resolve) => setTimeout(resolve, 300)); // Browsers drop what comes at once.
  }
}

function download(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/* What is shown */

function changed(photo) {
  if (photo.saving && !work.pending(photo)) {
    photo.saving = false;
    if (photo.state !== "refused") download(photo.restored);
  }
  strip.show(photos, current);
  if (photo === current) show();
}

function show() {
  const photo = current;
  const urls = photo?.urls ?? {};
  const compared = photo?.report && !photo.report.unchanged && urls.after;
  const bare = photo?.state === "refused" && !urls.before;
  document.body.dataset.state = !photo ? "empty" : compared ? "restored" : bare ? "bare" : "plain";
  document.title = photo ? `${photo.file.name} · selfsharp` : "selfsharp";
  at("name").textContent = photo?.file.name ?? "";
  if (!photo) return enable();
  setSource(at("before"), urls.before);
  showAfter();
  if (photo.size && viewer.size.join() !== photo.size.join()) viewer.show(...photo.size);
  showMarks();
  tell(photo);
  enable();
}

/** The restored photo, or what it will be like: the full restoration, as strong as wanted. */
function showAfter() {
  const { urls, strength } = current;
  const previewed = current.given !== current.wanted && urls.full;
  setSource(at("after"), previewed ? urls.full : urls.after);
  at("after").style.opacity = previewed ? strength : 1;
  at("strength").value = Math.round(100 * strength);
  at("percent").textContent = `${Math.round(100 * strength)} %`;
}

function showMarks() {
  const { map, mask, report } = current;
  const canvas = at("map");
  if (map && canvas.of !== map) {
    const coloured = map.coloured();
    [canvas.width, canvas.height] = [coloured.width, coloured.height];
    // The last cells may reach over the edge of the photo.
    canvas.style.width = `${4 * coloured.width}px`;
    canvas.style.height = `${4 * coloured.height}px`;
    canvas.getContext("2d").drawImage(coloured, 0, 0);
    at("legend-most").textContent = `${report.largest_radius.toFixed(1)} px`;
  }
  canvas.of = map;
  if (mask && at("mask") !== mask.canvas) {
    mask.canvas.id = "mask";
    at("mask").replaceWith(mask.canvas);
  }
}

function setSource(image, url) {
  if (!url) image.removeAttribute("src");
  else if (image.getAttribute("src") !== url) image.src = url;
}

function tell(photo) {
  const working = photo.state === "working" || photo.saving;
  at("words").textContent = photo.told;
  at("blank").textContent = photo.told;
  at("bar").hidden = !working;
  at("bar").classList.toggle("unknown", photo.progress === null);
  at("bar").style.setProperty("--done", `${100 * (photo.progress ?? 0)}%`);
  at("told").classList.toggle("refusal", photo.state === "refused");
  const left = photo.state === "unchanged" && !photo.masked && photo.report.blurred > 0;
  at("offer").hidden = !left || photo.strength === 0;
  at("offer").textContent = "Sharpen it anyway";
  at("offer").onclick = () => change(() => photo.mask.add({ kind: "take-found" }));
}

function enable() {
  const shown = Boolean(current?.map);
  for (const id of ["show-map", "sharpen", "protect"]) at(id).disabled = !shown;
  for (const id of ["zoom", "zoom-in", "zoom-out"]) at(id).disabled = !current?.size;
  at("strength").disabled = !current || document.body.dataset.state === "bare";
  at("save").disabled = !current?.restored || current.state === "refused";
  at("undo").disabled = !current?.mask?.steps.length;
  at("redo").disabled = !current?.mask?.undone.length;
  at("found").disabled = !current?.masked;
}

function zoomed(scale, fitted) {
  readout.hide(); // What it points at has moved.
  at("zoom").textContent = fitted ? "Fit" : `${Math.round(100 * scale * devicePixelRatio)} %`;
}

/* Map, strength, mask */

function setMapped(mapped) {
  stage.classList.toggle("mapped", mapped);
  at("show-map").setAttribute("aria-pressed", mapped);
  at("legend").hidden = !mapped;
  readout.hide();
}

function toggleMap() {
  if (!at("show-map").disabled) setMapped(!stage.classList.contains("mapped"));
}

function setStrength(strength) {
  if (!current) return;
  current.strength = Math.min(1, Math.max(0, Math.round(100 * strength) / 100));
  current.change();
  showAfter();
  work.wake();
}

function setTool(tool) {
  if (tool !== "look" && at(tool).disabled) return;
  if (tool !== "look") setMapped(false);
  brush.take(tool);
}

function toggleTool(tool) {
  setTool(brush.tool === tool ? "look" : tool);
}

/** Notes that the mask of the photo in sight is another now. */
function change(edit = () => {}) {
  if (!current?.mask) return;
  edit(current.mask);
  current.change({ mask: true });
  show();
  work.wake();
}

function point(x, y, event) {
  brush.show();
  const mapped = event && stage.classList.contains("mapped");
  readout.show(mapped ? current?.map : null, x, y);
}

/* Wiring */

const actions = {
  open: () => at("files").click(),
  save,
  saveAll,
  map: toggleMap,
  sharpen: () => toggleTool("sharpen"),
  protect: () => toggleTool("protect"),
  look: () => setTool("look"),
  undo: () => at("undo").disabled || change((mask) => mask.undo()),
  redo: () => at("redo").disabled || change((mask) => mask.redo()),
  finer: () => brush.resize(-5),
  coarser: () => brush.resize(5),
  zoomIn: () => viewer.zoom(1.5),
  zoomOut: () => viewer.zoom(1 / 1.5),
  fit: () => viewer.fit(),
  actual: () => viewer.zoomTo(1 / devicePixelRatio),
  next: () => step(1),
  previous: () => step(-1),
  help: () => at("keys").showModal(),
  before: (held) => stage.classList.toggle("before-only", held),
  left: () => move(-1, 0),
  right: () => move(1, 0),
  up: () => move(0, -1),
  down: () => move(0, 1),
  panLeft: () => viewer.pan(60, 0),
  panRight: () => viewer.pan(-60, 0),
  panUp: () => viewer.pan(0, 60),
  panDown: () => viewer.pan(0, -60),
  dab: () => brush.dab(),
};

/** Arrows move the line between before and after, and the strength; while painting, the brush. */
function move(across, down) {
  if (viewer.painting) brush.move(across, down);
  else if (across) viewer.setSplit(viewer.split + across * STEP);
  else setStrength((current?.strength ?? 1) - down * STEP);
}

for (const [id, action] of Object.entries({
  open: "open", choose: "open", save: "save", help: "help", "show-map": "map",
  sharpen: "sharpen", protect: "protect", "brush-done": "look", undo: "undo", redo: "redo",
  "zoom-in": "zoomIn", "zoom-out": "zoomOut",
})) {
  at(id).addEventListener("click", actions[action]);
}
at("zoom").addEventListener("click", () => viewer.toggleZoom());
at("clear").addEventListener("click", () => change((mask) => mask.add({ kind: "clear" })));
at("found").addEventListener("click", () => change((mask) => mask.add({ kind: "as-found" })));
at("save-mask").addEventListener("click", async () => {
  const name = current.file.name.replace(/\.\w+$/, "");
  download(new File([await current.mask.toPng()], `${name}-mask.png`, { type: "image/png" }));
});
at("strength").addEventListener("input", (event) => setStrength(event.target.value / 100));
at("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
bindKeys(actions, at("keys").querySelector("dl"));

addEventListener("paste", (event) => add(event.clipboardData.files));
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    const leaves = kind === "drop" || (kind === "dragleave" && !event.relatedTarget);
    stage.classList.toggle("dropping", !leaves);
    if (kind === "drop") add(event.dataTransfer.files);
  });
}
addEventListener("beforeunload", (event) => {
  if (photos.some((photo) => photo.mask?.steps.length)) event.preventDefault();
});

limits = await readHealth().catch(() => null);
if (limits) {
  at("accepted").textContent = `JPEG, PNG, WebP, TIFF, AVIF; up to ${limits.max_megapixels} megapixels`;
  at("files").accept = limits.endings.join();
}
document.body.dataset.ready = "";
