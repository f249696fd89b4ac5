// Has photos restored one after the other: the one in sight first, and again when it changes.

import { Refused, restore } from "./server.js";

const REST = 600; // Milliseconds in which the user changes nothing, before work begins.
const STAGES = {
  reading: "Reading the photo",
  looking: "Looking where it is blurred, and how",
  restoring: "Sharpening",
  writing: "Writing",
};

export class Work {
  /**
   * @param {() => Photo[]} next photos in the order in which they are to be restored.
   * @param {(photo: Photo) => void} changed is told whenever something of a photo changes.
   */
  constructor(next, changed) {
    this.next = next;
    this.changed = changed;
    this.running = null; // { photo, change, controller }
  }

  /** Looks whether there is something to do; to be called after every change. */
  wake() {
    clearTimeout(this.timer);
    const { running } = this;
    if (running) {
      // What nobody wants any more is not worth waiting for.
      const gone = !this.next().includes(running.photo);
      if (gone || running.photo.isOutdated(running.change)) running.controller.abort();
      return;
    }
    const photo = this.next().find((one) => one.stale);
    if (!photo) return;
    const rest = photo.given < 0 && photo.wanted === 0 ? 0 : REST;
    const wait = photo.changed + rest - performance.now();
    if (wait > 0 && rest) this.timer = setTimeout(() => this.wake(), wait);
    else this.run(photo);
  }

  /** Whether a photo is being restored or is about to be. */
  pending(photo) {
    return photo.stale || this.running?.photo === photo;
  }

  async run(photo) {
    const controller = new AbortController();
    const change = photo.wanted;
    this.running = { photo, change, controller };
    const before = photo.state;
    this.tell(photo, "working", "Sending the photo", null);
    try {
      const asked = await photo.asked();
      const tell = (event, data) => this.tellOf(photo, event, data);
      const answer = await restore(photo.file, asked, tell, controller.signal);
      await photo.take(answer, asked, change);
      photo.told = photo.summary();
      photo.progress = null;
    } catch (error) {
      if (error.name === "AbortError") this.tell(photo, before, "", null);
      else this.refuse(photo, change, error);
    }
    this.running = null;
    this.changed(photo);
    this.wake();
  }

  refuse(photo, change, error) {
    const lost = "The server cannot be reached. Is `selfsharp serve` still running?";
    const told = error instanceof Refused ? error.message : lost;
    photo.given = change;
    this.tell(photo, "refused", told, null);
  }

  tellOf(photo, event, data) {
    if (event === "waits") {
      const ahead = data.ahead ? `, ${data.ahead} before this one` : "";
      this.tell(photo, "working", `Waiting for its turn${ahead}`, null);
    } else if (event === "began") {
      this.tell(photo, "working", STAGES[data.stage], null);
    } else if (event === "advanced" && data.total) {
      this.tell(photo, "working", "Sharpening", data.done / data.total);
    }
  }

  tell(photo, state, told, progress) {
    Object.assign(photo, { state, told, progress });
    this.changed(photo);
  }
}
