/** Where a message stands, as a small sign that turns when it moves on. */

import { config } from "./config.js";
import { changeIcon, element, icon, set, write } from "./dom.js";
import { ICONS } from "./statuses.js";

/** @typedef {import("./types.js").Status} Status */

export class Tick {
  /** @type {Status} */
  #status;
  #word;

  /** @param {Status} status */
  constructor(status) {
    this.#status = status;
    this.#word = element("span", { class: "unseen", text: config.statuses[status] });
    this.node = element("span", { class: "tick", "data-status": status, title: config.statuses[status] });
    this.node.append(icon(ICONS[status]), this.#word);
    this.node.addEventListener("animationend", () => this.node.classList.remove("is-new"));
  }

  /** @param {Status} status */
  show(status) {
    if (status === this.#status) return;
    this.#status = status;
    set(this.node, "data-status", status);
    set(this.node, "title", config.statuses[status]);
    write(this.#word, config.statuses[status]);
    changeIcon(this.node, ICONS[status]);
    if (!this.node.isConnected) return;
    this.node.classList.remove("is-new");
    void this.node.offsetWidth; // starts the animation again
    this.node.classList.add("is-new");
  }
}
