/** Something to listen to, in its bubble. */

import { element } from "./dom.js";
import { whenSeen } from "./seen.js";

/** @typedef {import("./file_links.js").FileLinks} FileLinks */

export class Player {
  /** This browser cannot play it, or it cannot be had. */
  onNone = () => {};
  #links;
  #fileId;
  /** Whether the link has led somewhere: then it may have ended, and a fresh one goes on. */
  #hasWorked = false;

  /**
   * @param {string} name
   * @param {FileLinks} links
   * @param {string} fileId
   */
  constructor(name, links, fileId) {
    this.#links = links;
    this.#fileId = fileId;
    this.node = element("audio", { controls: true, preload: "metadata", "aria-label": name });
    this.node.addEventListener("loadedmetadata", () => (this.#hasWorked = true));
    this.node.addEventListener("error", () => void this.#goOn());
    whenSeen(this.node, () => void this.#load());
  }

  async #load() {
    try {
      this.node.src = await this.#links.to(this.#fileId, "inline");
    } catch {
      this.onNone();
    }
  }

  async #goOn() {
    if (!this.#hasWorked) return this.onNone();
    this.#hasWorked = false;
    const { currentTime, paused } = this.node;
    this.#links.forget(this.#fileId, "inline");
    await this.#load();
    this.node.currentTime = currentTime;
    if (!paused) await this.node.play().catch(() => {});
  }
}
