/** Everything that happens, as it happens: the newest on top, a few hundred and no more. */

import { whoIn } from "./address.js";
import { config, say, sayCount } from "./config.js";
import { arrange, byId, element, icon, paced, set, write } from "./dom.js";
import { ICONS } from "./statuses.js";
import { exactTime } from "./time.js";

/** @typedef {import("./types.js").Heard} Heard */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Change} Change */

const MOST_LINES = 200;
const PACE_MS = 250;

export class Log {
  #list = byId("log");
  #empty = byId("log-empty");
  #pause = byId("log-pause", HTMLButtonElement);
  #store;
  /** Newest first. */
  /** @type {Line[]} */
  #lines = [];
  /** What came while it was paused. */
  /** @type {Change[]} */
  #waiting = [];
  #missed = 0;
  #isPaused = false;
  #render = paced(() => this.#show(), PACE_MS);

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    store.on("heard", ({ change }) => this.#add(change));
    store.on("received", (written) => this.#add(written));
    store.on("conversations", () => this.#render());
    this.#pause.addEventListener("click", () => this.#toggle());
  }

  /** @param {Change} change */
  #add(change) {
    this.#waiting.push(change);
    if (this.#waiting.length > MOST_LINES) this.#waiting.shift();
    if (this.#isPaused) this.#missed += 1;
    this.#render();
  }

  #toggle() {
    this.#isPaused = !this.#isPaused;
    this.#missed = 0;
    set(this.#pause, "aria-pressed", String(this.#isPaused));
    this.#render();
  }

  #show() {
    write(byId("log-missed"), this.#missed ? sayCount("while_paused", this.#missed) : "");
    if (document.hidden) return;
    if (!this.#isPaused) {
      const fresh = this.#waiting.splice(0).map((change) => new Line(change));
      this.#lines = [...fresh.reverse(), ...this.#lines].slice(0, MOST_LINES);
      arrange(this.#list, this.#lines.map((line) => line.node));
    }
    for (const line of this.#lines) line.name(this.#store);
    this.#empty.hidden = this.#lines.length > 0;
  }
}

class Line {
  #change;
  #who = element("span", { class: "log-who" });

  /** @param {Change} change */
  constructor(change) {
    this.#change = change;
    const mark = element("span", { class: "tick", "data-status": change.status });
    mark.append(icon(change.kind === "retrying" || change.kind === "held" ? "retry" : ICONS[change.status]));
    const attempt = element("span", { class: "log-attempt", hidden: !change.attempt });
    attempt.append(element("span", { class: "unseen", text: say("attempt_word") }), `#${change.attempt ?? 0}`);
    this.node = element(
      "li",
      { "data-kind": change.kind },
      element(
        "a",
        { href: `#/c/${change.conversation_id}` },
        element("time", { datetime: change.at, text: exactTime(change.at) }),
        mark,
        element("span", { class: "log-what", text: config.kinds[change.kind] ?? change.kind }),
        this.#who,
        attempt,
      ),
    );
    write(this.#who, `…${change.conversation_id.slice(-6)}`);
  }

  /** Who it is may be learnt later. @param {Store} store */
  name(store) {
    const known = store.conversations.get(this.#change.conversation_id);
    if (known) write(this.#who, whoIn(known));
  }
}
