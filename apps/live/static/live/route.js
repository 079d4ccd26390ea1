/** Which pane is looked at, and which conversation: kept in the address, so that "back" leads back. */

import { Signals } from "./signals.js";

const CONVERSATION = /^#\/c\/([0-9a-f-]{36})$/;

/** @typedef {{view: "list" | "thread" | "new" | "activity", conversation: string}} Place */

/** @extends {Signals<{place: Place}>} */
export class Route extends Signals {
  /** @type {Place} */
  place = { view: "list", conversation: "" };

  start() {
    addEventListener("hashchange", () => this.#read());
    this.#read();
  }

  /** @param {string} id */
  open(id) {
    location.hash = `/c/${id}`;
  }

  /** In place of where one is: one does not come back to it. @param {string} id */
  replace(id) {
    history.replaceState(null, "", `#/c/${id}`);
    this.#read();
  }

  #read() {
    const { hash } = location;
    // Others lead within the page, such as the skip link.
    if (hash && !hash.startsWith("#/")) return;
    const conversation = CONVERSATION.exec(hash)?.[1] ?? "";
    if (conversation) this.place = { view: "thread", conversation };
    else if (hash === "#/new") this.place = { view: "new", conversation: "" };
    // Beside the conversation, where there is room for both.
    else if (hash === "#/activity") this.place = { view: "activity", conversation: this.place.conversation };
    else this.place = { view: "list", conversation: "" };
    document.body.dataset.view = this.place.view;
    this.emit("place", this.place);
  }
}
