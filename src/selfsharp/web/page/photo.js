// One photo on the page: its file, what the user wants of it, and what has come of it.

import { BlurMap } from "./blur_map.js";
import { Mask } from "./mask.js";

let count = 0;

export class Photo {
  /** @param {File} file as it was dropped, pasted or chosen. */
  constructor(file) {
    count += 1;
    this.id = count;
    this.file = file;
    this.state = "waiting"; // working, restored, unchanged, refused
    this.strength = 1;
    this.wanted = 0; // Counts the user's changes.
    this.given = -1; // The change that the restored file is of.
    this.masking = 0; // The last change of the mask.
    this.changed = 0; // When the user last changed something, in milliseconds.
    this.urls = {}; // before, after and full: pictures that the browser can show.
    this.shown = false; // Whether the browser can show files of this format.
    this.size = null;
    this.mask = null;
    this.map = null;
    this.report = null;
    this.restored = null; // The file, just as `selfsharp restore` writes it.
    this.told = "";
    this.progress = null;
  }

  /** Reads what the browser itself can tell of the photo; some formats it cannot show. */
  async look() {
    const url = URL.createObjectURL(this.file);
    const picture = new Image();
    picture.src = url;
    try {
      await picture.decode();
    } catch {
      URL.revokeObjectURL(url);
      return;
    }
    this.urls.before = url;
    // Safari shows TIFF files and no other browser does; the server's pictures all can.
    this.shown = !/\.tiff?$/i.test(this.file.name);
    this.size = [picture.naturalWidth, picture.naturalHeight];
  }

  /** Whether the restored file is not, or no longer, what the user wants. */
  get stale() {
    return this.given !== this.wanted && this.state !== "refused";
  }

  /** Whether the user's mask holds, and not what the detector finds. */
  get masked() {
    return Boolean(this.mask?.given);
  }

  /** Notes that the user wants something else now. */
  change({ mask = false } = {}) {
    this.wanted += 1;
    this.changed = performance.now();
    if (this.state === "refused") this.state = "waiting";
    if (!mask) return;
    this.masking = this.wanted;
    this.drop("full");
  }

  /** Whether what comes of an earlier change is of no use: the full restoration always is. */
  isOutdated(change) {
    return this.wanted !== change && (this.masking > change || Boolean(this.urls.full));
  }

  /** What is to be asked of the server. */
  async asked() {
    return {
      mask: this.masked ? await this.mask.toPng() : null,
      strength: this.strength,
      outputs: ["photo", "cells", "origins", ...(this.shown ? [] : ["before", "after"])],
    };
  }

  /** Takes the server's answer to a change. */
  async take({ report, files }, asked, change) {
    this.report = report;
    this.restored = files.photo;
    this.given = change;
    this.state = report.unchanged ? "unchanged" : "restored";
    this.size = [report.width, report.height];
    if (files.before) this.keep("before", files.before);
    this.keep("after", files.after ?? files.photo);
    if (asked.strength === 1) this.keep("full", files.after ?? files.photo);
    // With a mask the map tells of the mask; what was found without one is kept.
    this.map = await BlurMap.read(files, report);
    const found = this.map.blurred();
    if (!this.mask) this.mask = new Mask(report.width, report.height, found);
    else if (!asked.mask) this.mask.found = found;
  }

  /** Lets go of all that the browser holds for this photo. */
  forget() {
    for (const name of Object.keys(this.urls)) this.drop(name);
  }

  keep(name, file) {
    this.drop(name);
    this.urls[name] = URL.createObjectURL(file);
  }

  drop(name) {
    if (this.urls[name]) URL.revokeObjectURL(this.urls[name]);
    delete this.urls[name];
  }

  /** What was done, in words. */
  summary() {
    const { blurred, restored, mean_radius: radius, unchanged } = this.report;
    const percent = (share) => (share < 0.01 ? "less than 1 %" : `${Math.round(100 * share)} %`);
    if (unchanged && this.strength === 0) return "Strength 0: the photo is as it was.";
    if (unchanged && this.masked) return "Nothing to gain where you painted: the photo is as it was.";
    if (unchanged && blurred === 0) return "No blur was found: the photo is as it was.";
    if (unchanged) return "What is soft here looks meant, so the photo is as it was.";
    const rest = restored > 0.995 ? "" : " The rest is untouched, bit for bit.";
    return `${percent(restored)} of the photo sharpened, blurred by about ${radius.toFixed(1)} px.${rest}`;
  }
}
