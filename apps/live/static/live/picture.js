/** An image of a message, small. It opens as it is in another tab. */

import { say } from "./config.js";
import { element, icon } from "./dom.js";
import { whenSeen } from "./seen.js";

/** @typedef {import("./file_links.js").FileLinks} FileLinks */

// A worker makes it, a moment after the image came. Before each further try.
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 16_000];

export class Picture {
  /** Somebody wants to see it as it is. */
  onOpen = () => {};
  /** There is nothing to be shown. */
  onNone = () => {};
  #image;
  #links;
  #fileId;
  #tries = 0;

  /**
   * @param {string} name
   * @param {FileLinks} links
   * @param {string} fileId
   */
  constructor(name, links, fileId) {
    this.#links = links;
    this.#fileId = fileId;
    this.#image = element("img", { alt: name, hidden: true });
    this.node = element(
      "button",
      { type: "button", class: "picture", title: name },
      icon("media-image"),
      this.#image,
      element("span", { class: "unseen", text: say("opens_elsewhere") }),
    );
    this.node.addEventListener("click", () => this.onOpen());
    whenSeen(this.node, () => void this.#load());
  }

  async #load() {
    try {
      this.#image.src = await this.#links.to(this.#fileId, "thumbnail");
      await this.#image.decode();
      this.#image.hidden = false;
    } catch {
      this.#links.forget(this.#fileId, "thumbnail");
      const wait = WAITS_MS[this.#tries];
      this.#tries += 1;
      if (wait === undefined) this.onNone();
      else setTimeout(() => whenSeen(this.node, () => void this.#load()), wait);
    }
  }
}
