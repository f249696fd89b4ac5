// Several photos in a row: which there are, how each is getting on, which one is in sight.

const STATES = {
  waiting: "waiting",
  working: "being restored",
  restored: "restored",
  unchanged: "unchanged",
  refused: "refused",
};

export class Strip {
  /**
   * @param {HTMLElement} element
   * @param {{select: (photo: Photo) => void, remove: (photo: Photo) => void,
   *          saveAll: () => void}} actions
   */
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.items = new Map();
    this.all = document.createElement("button");
    this.all.id = "save-all";
    this.all.textContent = "Download all";
    this.all.title = "Download all photos that are done (Shift+D)";
    this.all.addEventListener("click", actions.saveAll);
    element.append(this.all);
  }

  /** Brings the row up to date; what is there already stays, and keeps the focus. */
  show(photos, current) {
    this.element.hidden = photos.length < 2;
    this.all.disabled = !photos.some((photo) => photo.restored);
    for (const [photo, item] of this.items) {
      if (photos.includes(photo)) continue;
      item.remove();
      this.items.delete(photo);
    }
    for (const photo of photos) {
      if (!this.items.has(photo)) this.element.insertBefore(this.add(photo), this.all);
      const item = this.items.get(photo);
      const [thumb] = item.children;
      const isCurrent = photo === current;
      if (isCurrent && thumb.getAttribute("aria-current") !== "true") {
        item.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
      thumb.setAttribute("aria-current", isCurrent);
      thumb.setAttribute("aria-label", `${photo.file.name}, ${STATES[photo.state]}`);
      item.dataset.state = photo.state;
      const url = photo.urls.before;
      const [image] = thumb.children;
      if (url && image.getAttribute("src") !== url) image.src = url;
    }
  }

  add(photo) {
    const item = document.createElement("div");
    const thumb = document.createElement("button");
    thumb.className = "thumb";
    thumb.title = photo.file.name;
    // The ending stands in for a picture that there is not, or not yet.
    const ending = photo.file.name.split(".").at(-1).slice(0, 5).toUpperCase();
    thumb.append(Object.assign(document.createElement("img"), { alt: "", draggable: false }), ending);
    thumb.addEventListener("click", () => this.actions.select(photo));
    const remove = document.createElement("button");
    remove.className = "remove";
    remove.setAttribute("aria-label", `Remove ${photo.file.name}`);
    remove.innerHTML = '<svg><use href="#icon-remove"/></svg>';
    remove.addEventListener("click", () => this.actions.remove(photo));
    item.append(thumb, document.createElement("em"), remove);
    this.items.set(photo, item);
    return item;
  }
}
