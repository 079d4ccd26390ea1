/** The open conversation: its messages as bubbles, the older ones above. */

import { readable, tintOf, whoIn } from "./address.js";
import { asProblem } from "./api.js";
import { Bubble, PendingBubble } from "./bubble.js";
import { channelName, say, sayCount } from "./config.js";
import { arrange, byId, channelIcon, element, framed, set, write } from "./dom.js";
import { clockLength, dayKey, dayName } from "./time.js";

/** @typedef {import("./bubble.js").Actions} Actions */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./sync.js").Sync} Sync */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Thread} ThreadData */

// So near the end somebody is reading the newest, and wants to see what follows.
const NEAR_END = 80;

export class Thread {
  #scroller = byId("thread-scroll");
  #list = byId("messages");
  #top = byId("thread-top");
  #begin = byId("thread-begin");
  #loading = byId("thread-loading");
  #problem = byId("thread-problem");
  #problemText = byId("thread-problem-text");
  #retry = byId("thread-retry", HTMLButtonElement);
  #toEnd = byId("to-newest", HTMLButtonElement);
  #store;
  #sync;
  #actions;
  /** The conversation that is shown, or "". */
  id = "";
  /** @type {Map<string, Bubble | PendingBubble>} */
  #bubbles = new Map();
  /** @type {Map<string, HTMLElement>} */
  #days = new Map();
  #isAtEnd = true;
  #isLoadingOlder = false;
  /** The last message when somebody was last at the end. */
  #seen = "";
  /** The last message that was shown: what comes after it moves in. */
  #newest = "";
  #render = framed(() => this.#show());

  /**
   * @param {Store} store
   * @param {Sync} sync
   * @param {Actions} actions
   */
  constructor(store, sync, actions) {
    this.#store = store;
    this.#sync = sync;
    this.#actions = actions;
    this.#list.style.setProperty("--clock", String(clockLength));
    store.on("thread", (id) => id === this.id && this.#render());
    store.on("conversations", framed(() => this.#showHead()));
    this.#scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    this.#toEnd.addEventListener("click", () => this.#goToEnd());
    this.#retry.addEventListener("click", () => void this.#read());
    new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && void this.#readOlder(), {
      root: this.#scroller,
      rootMargin: "300px 0px 0px",
    }).observe(this.#top);
    new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd()).observe(this.#scroller);
  }

  /** @param {string} id  "" for none. */
  open(id) {
    if (id === this.id) return;
    this.id = this.#sync.open = id;
    this.#bubbles.clear();
    this.#days.clear();
    this.#list.replaceChildren();
    this.#isAtEnd = true;
    this.#seen = this.#newest = "";
    this.#complain("");
    if (!id) return;
    this.#show();
    void this.#read();
  }

  async #read() {
    const id = this.id;
    this.#complain("");
    try {
      await Promise.all([this.#sync.conversation(id), this.#sync.newest(id)]);
    } catch (error) {
      const problem = asProblem(error);
      if (id !== this.id) return;
      const isNowhere = problem.code === "not_found";
      this.#complain(isNowhere ? say("no_such_conversation") : problem.message);
      this.#retry.hidden = isNowhere;
    }
  }

  async #readOlder() {
    const id = this.id;
    const thread = id && this.#store.thread(id);
    if (!thread || !thread.isLoaded || !thread.older || this.#isLoadingOlder) return;
    this.#isLoadingOlder = true;
    try {
      await this.#sync.older(id);
    } catch (error) {
      if (id === this.id) this.#complain(asProblem(error).message);
    } finally {
      this.#isLoadingOlder = false;
    }
  }

  #show() {
    if (!this.id) return;
    const thread = this.#store.thread(this.id);
    const before = this.#list.querySelector(".message");
    const offset = before?.getBoundingClientRect().top ?? 0;
    arrange(this.#list, this.#nodes(thread));
    this.#showHead();
    this.#loading.hidden = thread.isLoaded || !this.#problem.hidden;
    this.#begin.hidden = !thread.isLoaded || thread.older !== null;
    this.#top.hidden = !thread.isLoaded || thread.older === null;
    if (thread.isLoaded) this.#complain("");
    if (this.#isAtEnd && !thread.isCut) this.#scrollToEnd();
    else if (before?.isConnected) this.#scroller.scrollTop += before.getBoundingClientRect().top - offset;
    this.#showWayToEnd(thread);
  }

  /** @param {ThreadData} thread */
  #nodes(thread) {
    /** @type {Map<string, Bubble | PendingBubble>} */
    const bubbles = new Map();
    /** @type {HTMLElement[]} */
    const nodes = [];
    let day = "";
    const newest = this.#newest;
    for (const message of thread.messages) {
      if (dayKey(message.created_at) !== day) nodes.push(this.#day((day = dayKey(message.created_at)), message));
      const known = this.#bubbles.get(message.id);
      const bubble = known instanceof Bubble ? known : new Bubble(message, this.#actions);
      if (known instanceof Bubble) known.show(message);
      else if (newest && message.id > newest) bubble.node.classList.add("is-new");
      bubbles.set(message.id, bubble);
      nodes.push(bubble.node);
    }
    for (const pending of thread.pending) {
      const known = this.#bubbles.get(pending.key);
      const bubble = known instanceof PendingBubble ? known : new PendingBubble(pending, this.#actions);
      bubble.show(pending);
      bubbles.set(pending.key, bubble);
      nodes.push(bubble.node);
    }
    this.#bubbles = bubbles;
    this.#newest = thread.messages.at(-1)?.id ?? "";
    return nodes;
  }

  /**
   * @param {string} key
   * @param {Message} message
   */
  #day(key, message) {
    let node = this.#days.get(key);
    if (!node) {
      node = element("li", { class: "day" }, element("span", {}));
      this.#days.set(key, node);
    }
    write(/** @type {Element} */ (node.firstElementChild), dayName(message.created_at));
    return node;
  }

  #showHead() {
    const known = this.#store.conversations.get(this.id);
    const account = known && this.#store.accounts.get(known.account_id);
    const address = known?.contact.name ? readable(known.address) : "";
    const where = known ? [address, channelName(known.channel), account?.name].filter(Boolean).join(" · ") : "";
    write(byId("thread-who"), known ? whoIn(known) : "");
    write(byId("thread-where"), where);
    const avatar = byId("thread-avatar");
    if (known && avatar.dataset.of !== known.id) {
      avatar.dataset.of = known.id;
      set(avatar, "data-tint", tintOf(known.address));
      avatar.replaceChildren(channelIcon(known.channel));
    }
    byId("thread-closed").hidden = !known?.closed_at;
    const paused = account?.paused;
    byId("thread-paused").hidden = !paused;
    write(byId("thread-paused-text"), paused ? say("account_paused", { why: paused.reason }) : "");
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.id) this.#showWayToEnd(this.#store.thread(this.id));
  }

  /** @param {ThreadData} thread */
  #showWayToEnd(thread) {
    const isAtEnd = this.#isAtEnd && !thread.isCut;
    if (isAtEnd) this.#seen = thread.messages.at(-1)?.id ?? "";
    const count = isAtEnd ? 0 : thread.messages.filter((each) => each.id > this.#seen).length;
    this.#toEnd.hidden = isAtEnd || !thread.isLoaded;
    write(byId("to-newest-text"), count && !thread.isCut ? sayCount("new_messages", count) : say("to_newest"));
  }

  #goToEnd() {
    const thread = this.#store.thread(this.id);
    this.#isAtEnd = true;
    if (thread.isCut) void this.#read();
    else this.#scrollToEnd("smooth");
  }

  /** What was just written is looked at. */
  follow() {
    this.#isAtEnd = true;
    if (this.#store.thread(this.id).isCut) void this.#read();
    this.#render();
  }

  /** @param {ScrollBehavior} [behavior] */
  #scrollToEnd(behavior = "instant") {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  /** @param {string} text */
  #complain(text) {
    write(this.#problemText, text);
    this.#problem.hidden = !text;
    set(byId("thread-open"), "data-problem", Boolean(text) && this.#bubbles.size === 0);
    if (text) this.#loading.hidden = true;
  }
}
