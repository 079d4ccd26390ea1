/** Where one writes into the open conversation. */

import { asProblem } from "./api.js";
import { config, say } from "./config.js";
import { byId, framed, set, write } from "./dom.js";
import { MOST_PENDING } from "./outbox.js";
import { Parts } from "./parts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Conversation} Conversation */

const MOST_DRAFTS = 50;
// From so near the limit on, it is told how much is left.
const TELL_LEFT = 200;

export class Composer {
  #form = byId("composer", HTMLFormElement);
  #text = byId("composer-text", HTMLTextAreaElement);
  #left = byId("composer-left");
  #send = byId("composer-send", HTMLButtonElement);
  #problem = byId("composer-problem");
  #closed = byId("composer-closed");
  #closedProblem = byId("composer-closed-problem");
  #readOnly = byId("composer-read-only");
  #window = byId("composer-window");
  #windowText = byId("composer-window-text");
  #windowTemplate = byId("composer-window-template");
  #parts;
  #store;
  #outbox;
  #api;
  #id = "";
  /** What was begun in other conversations. */
  /** @type {Map<string, string>} */
  #drafts = new Map();
  /** @type {() => void} */
  onSent = () => {};

  /**
   * @param {Store} store
   * @param {Outbox} outbox
   * @param {Api} api
   */
  constructor(store, outbox, api) {
    this.#store = store;
    this.#outbox = outbox;
    this.#api = api;
    this.#parts = new Parts(api, "composer");
    this.#parts.onChange = () => this.#show();
    this.#windowTemplate.addEventListener("click", () => this.#parts.open("template"));
    store.on("conversations", framed(() => this.#show()));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    sendsOnEnter(this.#text, this.#form);
    this.#text.addEventListener("input", () => this.#show());
    byId("reopen").addEventListener("click", () => void this.#reopen());
  }

  /** @param {string} id */
  open(id) {
    if (id === this.#id) return;
    this.#keepDraft();
    this.#id = id;
    this.#parts.close();
    this.#text.value = this.#drafts.get(id) ?? "";
    write(this.#problem, "");
    write(this.#closedProblem, "");
    this.#show();
  }

  focus() {
    if (!this.#form.hidden) this.#text.focus();
  }

  #submit() {
    if (!this.#id || !this.#maySend()) return;
    const text = this.#parts.carriesText ? this.#text.value : "";
    if (this.#outbox.isFull(this.#id)) {
      write(this.#problem, say("too_many_pending", { most: MOST_PENDING }));
      return;
    }
    write(this.#problem, "");
    void this.#outbox.send(this.#id, text.trim() ? text : "", this.#parts.wanted());
    if (text) this.#text.value = "";
    this.#drafts.delete(this.#id);
    this.#parts.close();
    this.#show();
    this.#text.focus();
    this.onSent();
  }

  async #reopen() {
    write(this.#closedProblem, "");
    try {
      const moment = this.#store.moment;
      /** @type {Conversation} */
      const opened = await this.#api.post(`/v1/conversations/${this.#id}/reopen`);
      this.#store.learnConversations([opened], moment);
      this.focus();
    } catch (error) {
      write(this.#closedProblem, asProblem(error).message);
    }
  }

  #show() {
    const known = this.#store.conversations.get(this.#id);
    const mayWrite = this.#api.may("messages:write");
    const isClosed = Boolean(known?.closed_at);
    this.#readOnly.hidden = mayWrite;
    this.#closed.hidden = !mayWrite || !isClosed;
    this.#form.hidden = !mayWrite || isClosed;
    this.#parts.carriedBy(this.#channel());
    this.#text.hidden = !this.#parts.carriesText;
    showLength(this.#text, this.#left, this.#channel());
    this.#showWindow(known?.window ?? null);
    this.#send.disabled = !this.#maySend();
  }

  #maySend() {
    const text = this.#text.value;
    if (!this.#parts.carriesText) return this.#parts.isComplete;
    if (tooLong(text, this.#channel()) > 0) return false;
    return this.#parts.way === "media" ? this.#parts.isComplete : text.trim() !== "";
  }

  /** @param {{is_open: boolean, closes_at: string | null} | null} window */
  #showWindow(window) {
    const isOver = window !== null && (!window.is_open || Date.parse(window.closes_at ?? "") < Date.now());
    this.#window.hidden = !isOver || this.#parts.way === "template";
    this.#windowTemplate.hidden = !config.connectors[this.#channel()]?.has_templates;
    if (isOver) write(this.#windowText, say(window.closes_at ? "window_over" : "window_never"));
  }

  #channel() {
    return this.#store.conversations.get(this.#id)?.channel ?? "";
  }

  #keepDraft() {
    if (!this.#id) return;
    this.#drafts.delete(this.#id);
    if (this.#text.value.trim()) this.#drafts.set(this.#id, this.#text.value);
    if (this.#drafts.size > MOST_DRAFTS) this.#drafts.delete(/** @type {string} */ (this.#drafts.keys().next().value));
  }
}

/**
 * Enter sends and Shift+Enter begins a line; not while a letter is being composed.
 * @param {HTMLTextAreaElement} text
 * @param {HTMLFormElement} form
 */
export function sendsOnEnter(text, form) {
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/**
 * By how much a text is longer than the channel carries; below 0 there is room left.
 * @param {string} text
 * @param {string} channel
 */
export function tooLong(text, channel) {
  const connector = config.connectors[channel];
  if (!connector) return -Infinity;
  const length = connector.text_unit === "bytes" ? new TextEncoder().encode(text).length : [...text].length;
  return length - connector.longest_text;
}

/**
 * @param {HTMLTextAreaElement} text
 * @param {HTMLElement} place
 * @param {string} channel
 */
export function showLength(text, place, channel) {
  const over = tooLong(text.value, channel);
  const isBytes = config.connectors[channel]?.text_unit === "bytes";
  const isNear = over > -TELL_LEFT;
  set(place, "data-over", over > 0);
  set(text, "aria-invalid", over > 0 ? "true" : null);
  const name = over > 0 ? (isBytes ? "bytes_over" : "characters_over") : isBytes ? "bytes_left" : "characters_left";
  write(place, isNear ? say(name, { count: Math.abs(over) }) : "");
}
