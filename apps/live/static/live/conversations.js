/** The list of conversations: the last active first, with what was said last. */

import { bare, tintOf, whoIn } from "./address.js";
import { asProblem } from "./api.js";
import { channelName, say, sayCount } from "./config.js";
import { arrange, byId, channelIcon, element, framed, paced, set, write } from "./dom.js";
import { Tick } from "./tick.js";
import { fullTime, shortly } from "./time.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./sync.js").Sync} Sync */
/** @typedef {import("./route.js").Route} Route */
/** @typedef {import("./types.js").Known} Known */

const PAGE = 50;
const SEARCH_AFTER_MS = 350;
const SHORTEST_SEARCH = 3;
// While somebody points at the list, nothing moves away under their hand.
const STILL_MS = 1200;
// Where very much happens, the list moves so often and no more.
const PACE_MS = 400;
const TIME_PASSES_MS = 30_000;

export class Conversations {
  #list = byId("conversation-list");
  #search = byId("search", HTMLInputElement);
  #more = byId("more-conversations", HTMLButtonElement);
  #empty = byId("no-conversations");
  #nothingFound = byId("nothing-found");
  #problem = byId("conversations-problem");
  #store;
  #sync;
  #route;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #shown = PAGE;
  #query = "";
  /** Found by the server, for what is searched now. */
  #found = new Set();
  #searchTimer = 0;
  #pointedAt = -Infinity;
  #stillTimer = 0;
  /** @type {string[]} */
  #order = [];
  #render = framed(() => this.#show());

  /**
   * @param {Store} store
   * @param {Sync} sync
   * @param {Route} route
   */
  constructor(store, sync, route) {
    this.#store = store;
    this.#sync = sync;
    this.#route = route;
    store.on("conversations", paced(() => this.#render(), PACE_MS));
    route.on("place", () => this.#render());
    this.#search.addEventListener("input", () => this.#searchSoon());
    this.#search.form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#searchNow();
    });
    this.#more.addEventListener("click", () => this.#showMore());
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
    this.#list.addEventListener("pointermove", () => {
      this.#pointedAt = performance.now();
    });
    setInterval(() => document.hidden || this.#render(), TIME_PASSES_MS);
  }

  refresh() {
    this.#render();
  }

  /** Back where one came from, if nothing else has the focus. @param {string} id */
  focus(id) {
    if (document.activeElement === document.body) this.#rows.get(id)?.link.focus();
  }

  /** @param {string} text */
  complain(text) {
    write(this.#problem, text);
    this.#problem.hidden = !text;
  }

  #show() {
    if (!this.#store.isListed) return;
    const wanted = this.#wanted();
    const rows = this.#inOrder(wanted.slice(0, this.#shown)).map((known) => {
      const row = this.#rows.get(known.id) ?? new Row(known);
      this.#rows.set(known.id, row);
      row.show(known, known.id === this.#route.place.conversation);
      return row;
    });
    arrange(this.#list, rows.map((row) => row.node));
    const here = new Set(rows);
    for (const [id, row] of this.#rows) if (!here.has(row)) this.#rows.delete(id);
    this.#oneInTabOrder(rows);
    set(this.#list, "aria-busy", null);
    this.#empty.hidden = this.#store.conversations.size > 0 || this.#query !== "";
    this.#nothingFound.hidden = wanted.length > 0 || this.#query === "";
    this.#more.hidden = wanted.length <= this.#shown && (!this.#store.more || this.#query !== "");
  }

  #wanted() {
    const all = this.#store.byActivity();
    const query = bare(this.#query);
    if (!query) return all;
    const words = this.#query.toLowerCase();
    return all.filter(
      (each) =>
        this.#found.has(each.id) ||
        bare(each.address).includes(query) ||
        each.contact.name.toLowerCase().includes(words) ||
        (each.last_message?.text ?? "").toLowerCase().includes(words),
    );
  }

  /** @param {Known[]} wanted */
  #inOrder(wanted) {
    const rest = this.#pointedAt + STILL_MS - performance.now();
    if (rest > 0 && this.#query === "") {
      clearTimeout(this.#stillTimer);
      this.#stillTimer = window.setTimeout(() => this.#render(), rest);
      const place = new Map(this.#order.map((id, n) => [id, n]));
      if (wanted.every((each) => place.has(each.id))) {
        return [...wanted].sort((one, other) => (place.get(one.id) ?? 0) - (place.get(other.id) ?? 0));
      }
    }
    this.#order = wanted.map((each) => each.id);
    return wanted;
  }

  /** Tab leads to the list, arrows lead through it. @param {Row[]} rows */
  #oneInTabOrder(rows) {
    const active = document.activeElement;
    const chosen =
      rows.find((row) => row.link === active) ??
      rows.find((row) => row.link.getAttribute("aria-current") === "true") ??
      rows[0];
    for (const row of rows) row.link.tabIndex = row === chosen ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const links = [...this.#list.querySelectorAll("a")];
    const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 };
    const step = steps[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    const next = links[Math.min(Math.max(step, 0), links.length - 1)];
    for (const link of links) link.tabIndex = link === next ? 0 : -1;
    next?.focus();
  }

  #searchSoon() {
    this.#query = this.#search.value.trim();
    this.#found.clear();
    this.#render();
    clearTimeout(this.#searchTimer);
    this.#searchTimer = window.setTimeout(() => this.#searchNow(), SEARCH_AFTER_MS);
  }

  async #searchNow() {
    clearTimeout(this.#searchTimer);
    const query = this.#query;
    if (query.length < SHORTEST_SEARCH) return;
    try {
      const ids = await this.#sync.conversationsWith(query);
      if (query !== this.#query) return;
      this.#found = new Set(ids);
      this.complain("");
      this.#render();
    } catch (error) {
      this.complain(asProblem(error).message);
    }
  }

  async #showMore() {
    this.#shown += PAGE;
    this.#more.disabled = true;
    try {
      if (this.#store.conversations.size < this.#shown) await this.#sync.moreConversations();
      this.complain("");
    } catch (error) {
      this.complain(asProblem(error).message);
    } finally {
      this.#more.disabled = false;
      this.#render();
    }
  }
}

class Row {
  #who = element("span", { class: "who" });
  #when = element("time", { class: "when" });
  #said = element("span", { class: "last-said" });
  #unread = element("span", { class: "unread", hidden: true });
  #tick = new Tick("queued");

  /** @param {Known} known */
  constructor(known) {
    const channel = channelName(known.channel);
    const avatar = element("span", { class: "avatar", "data-tint": tintOf(known.address), title: channel });
    avatar.append(channelIcon(known.channel), element("span", { class: "unseen", text: channel }));
    this.link = element(
      "a",
      { class: "conversation", href: `#/c/${known.id}`, tabindex: -1 },
      avatar,
      element("span", { class: "line" }, this.#who, this.#when),
      element("span", { class: "line" }, this.#tick.node, this.#said, this.#unread),
    );
    this.node = element("li", {}, this.link);
  }

  /**
   * @param {Known} known
   * @param {boolean} isOpen
   */
  show(known, isOpen) {
    const last = known.last_message;
    write(this.#who, whoIn(known));
    write(this.#said, last ? last.text.slice(0, 200) || say("without_text") : say("no_message_yet"));
    this.#tick.node.hidden = !last;
    if (last) {
      this.#tick.show(last.status);
      set(this.#when, "datetime", last.created_at);
      set(this.#when, "title", fullTime(last.created_at));
      write(this.#when, shortly(last.created_at));
    }
    set(this.link, "aria-current", isOpen ? "true" : null);
    const count = known.unread_count;
    const isNew = !isOpen && count > 0;
    this.#unread.hidden = !isNew;
    set(this.link, "data-new", isNew);
    set(this.#unread, "aria-label", isNew ? sayCount("new_messages", count) : null);
    set(this.#unread, "role", isNew ? "img" : null);
    write(this.#unread, count > 99 ? "99+" : String(count));
  }
}
