/** Where a message stands, as a small sign that turns when it moves on. */

import { config } from "./config.js";
import { changeIcon, element, icon, set, write } from "./dom.js";
import { ICONS } from "./statuses.js";

/** @typedef {import("./types.js").Status} Status */

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const ARRIVING = [{ opacity: 0.2, transform: "scale(.55)" }, { opacity: 1, transform: "none" }];
const ARRIVAL = { duration: 320, easing: "cubic-bezier(.2, 1.4, .5, 1)" };

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
  }

  /** @param {Status} status */
  show(status) {
    if (status === this.#status) return;
    this.#status = status;
    set(this.node, "data-status", status);
    set(this.node, "title", config.statuses[status]);
    write(this.#word, config.statuses[status]);
    changeIcon(this.node, ICONS[status]);
    if (this.node.isConnected && !stillness.matches) this.node.firstElementChild?.animate(ARRIVING, ARRIVAL);
  }
}
