/** Where one writes into the open conversation. */

import { asProblem } from "./api.js";
import { Attach } from "./attach.js";
import { goesAsLink, roomFor } from "./carrying.js";
import { channelName, config, say } from "./config.js";
import { byId, framed, set, write } from "./dom.js";
import { MOST_PENDING } from "./outbox.js";
import { Parts } from "./parts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./upload.js").Upload} Upload */

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
  #partsOpen = byId("composer-parts-open");
  #parts;
  #attach;
  #store;
  #outbox;
  #api;
  #id = "";
  /** What was begun in other conversations. */
  /** @type {Map<string, {text: string, upload: Upload | null}>} */
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
    this.#attach = new Attach(api, "composer", byId("thread-open"), this.#text);
    this.#attach.onChoose = () => this.#parts.close();
    this.#attach.onChange = () => this.#show();
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
    const draft = this.#drafts.get(id);
    this.#drafts.delete(id);
    this.#text.value = draft?.text ?? "";
    this.#attach.put(draft?.upload ?? null);
    write(this.#problem, "");
    write(this.#closedProblem, "");
    this.#show();
  }

  focus() {
    if (!this.#form.hidden) this.#text.focus();
  }

  #submit() {
    if (!this.#id || !this.#maySend()) return;
    const text = this.#carriesText() ? this.#text.value : "";
    if (this.#outbox.isFull(this.#id)) {
      write(this.#problem, say("too_many_pending", { most: MOST_PENDING }));
      return;
    }
    write(this.#problem, "");
    void this.#outbox.send(this.#id, text.trim() ? text : "", this.#parts.wanted(), this.#attach.take());
    if (text) this.#text.value = "";
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
    this.#partsOpen.hidden = this.#attach.upload !== null;
    this.#text.hidden = !this.#carriesText();
    showLength(this.#text, this.#left, this.#channel(), this.#attach.upload);
    this.#attach.tell(hintOn(this.#channel(), this.#attach.upload));
    this.#showWindow(known?.window ?? null);
    this.#send.disabled = !this.#maySend();
  }

  #carriesText() {
    const { upload } = this.#attach;
    return upload ? roomFor(this.#channel(), upload) > 0 : this.#parts.carriesText;
  }

  #maySend() {
    const text = this.#text.value;
    const { upload } = this.#attach;
    if (!this.#carriesText()) return upload !== null || this.#parts.isComplete;
    if (tooLong(text, this.#channel(), upload) > 0) return false;
    if (upload) return true;
    return this.#parts.way === "media" ? this.#parts.isComplete : text.trim() !== "";
  }

  /** @param {{is_open: boolean, closes_at: string | null} | null} window */
  #showWindow(window) {
    const isOver = window !== null && (!window.is_open || Date.parse(window.closes_at ?? "") < Date.now());
    this.#window.hidden = !isOver || this.#parts.way === "template";
    const hasTemplates = config.connectors[this.#channel()]?.has_templates;
    this.#windowTemplate.hidden = !hasTemplates || this.#attach.upload !== null;
    if (isOver) write(this.#windowText, say(window.closes_at ? "window_over" : "window_never"));
  }

  #channel() {
    return this.#store.conversations.get(this.#id)?.channel ?? "";
  }

  #keepDraft() {
    const text = this.#text.value;
    const upload = this.#attach.take();
    if (!this.#id || !(text.trim() || upload)) return;
    this.#drafts.set(this.#id, { text, upload });
    const [oldest, draft] = /** @type {[string, {upload: Upload | null}]} */ (this.#drafts.entries().next().value);
    if (this.#drafts.size <= MOST_DRAFTS) return;
    draft.upload?.cancel();
    this.#drafts.delete(oldest);
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
 * @param {Upload | null} upload  The file that it goes with.
 */
export function tooLong(text, channel, upload) {
  const isBytes = config.connectors[channel]?.text_unit === "bytes";
  const length = isBytes ? new TextEncoder().encode(text).length : [...text].length;
  return length - roomFor(channel, upload);
}

/**
 * @param {HTMLTextAreaElement} text
 * @param {HTMLElement} place
 * @param {string} channel
 * @param {Upload | null} upload
 */
export function showLength(text, place, channel, upload) {
  const over = tooLong(text.value, channel, upload);
  const isBytes = config.connectors[channel]?.text_unit === "bytes";
  const isNear = over > -TELL_LEFT;
  set(place, "data-over", over > 0);
  set(text, "aria-invalid", over > 0 ? "true" : null);
  const name = over > 0 ? (isBytes ? "bytes_over" : "characters_over") : isBytes ? "bytes_left" : "characters_left";
  write(place, isNear ? say(name, { count: Math.abs(over) }) : "");
}

/**
 * What is to be known of how a file goes over a channel.
 * @param {string} channel
 * @param {Upload | null} upload
 */
export function hintOn(channel, upload) {
  if (!upload || !config.connectors[channel] || !goesAsLink(channel, upload)) return "";
  return say("goes_as_link", { channel: channelName(channel) });
}
