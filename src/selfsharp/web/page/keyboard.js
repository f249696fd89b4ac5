// Every key and what it does; the list that the help shows is this very table.

const KEYS = [
  ["O", "Open photos", { o: "open" }],
  ["D", "Download; with Shift, all that are done", { d: "save", "Shift+d": "saveAll" }],
  ["← →", "Move between before and after", { ArrowLeft: "left", ArrowRight: "right" }],
  ["↑ ↓", "Strength", { ArrowUp: "up", ArrowDown: "down" }],
  ["Space", "Before, as long as it is held", { " ": "before" }],
  ["M", "Blur map; point to read it", { m: "map" }],
  ["+ − 0 1", "Zoom in, out, whole photo, actual pixels", {
    "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", 0: "fit", 1: "actual",
  }],
  ["Shift + arrows", "Move about in the photo", {
    "Shift+ArrowLeft": "panLeft", "Shift+ArrowRight": "panRight",
    "Shift+ArrowUp": "panUp", "Shift+ArrowDown": "panDown",
  }],
  ["B, P", "Brush: sharpen, protect; again or Esc ends it", {
    b: "sharpen", p: "protect", Escape: "look",
  }],
  ["Arrows, Enter", "Move the brush, and paint", { Enter: "dab" }],
  ["[ ]", "Size of the brush", { "[": "finer", "]": "coarser" }],
  ["Ctrl + Z", "Undo; with Shift, redo", {
    "Ctrl+z": "undo", "Ctrl+Shift+z": "redo", "Ctrl+y": "redo",
  }],
  ["Page ↑ ↓", "Photo before, photo after", { PageUp: "previous", PageDown: "next" }],
  ["?", "This list", { "?": "help" }],
];
const ACTIONS = Object.assign({}, ...KEYS.map(([, , bound]) => bound));

/** Has keys do their actions, and lists them. */
export function bindKeys(actions, list) {
  for (const [keys, told] of KEYS) {
    for (const [tag, text] of [["dt", keys], ["dd", told]]) {
      list.append(Object.assign(document.createElement(tag), { textContent: text }));
    }
  }
  const act = (event, held) => {
    const name = ACTIONS[nameOf(event)];
    if (!name || isMeantForOther(event)) return;
    event.preventDefault();
    if (held || name === "before") actions[name](held);
  };
  addEventListener("keydown", (event) => act(event, true));
  addEventListener("keyup", (event) => event.key === " " && act(event, false));
}

function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey) return "";
  if (ctrlKey || metaKey) return `Ctrl+${shiftKey ? "Shift+" : ""}${key.toLowerCase()}`;
  if (shiftKey && key.startsWith("Arrow")) return `Shift+${key}`;
  if (shiftKey && key === "D") return "Shift+d";
  return key.length === 1 ? key.toLowerCase() : key;
}

/** Buttons have their own use for Space and Enter, sliders for arrows, dialogs for all. */
function isMeantForOther({ key, target }) {
  if (document.querySelector("dialog[open]")) return true;
  if (target.closest("button")) return key === " " || key === "Enter";
  return target.matches("input") && (key.startsWith("Arrow") || key.startsWith("Page"));
}
