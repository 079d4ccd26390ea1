/**
 * What this page knows: conversations, the messages of those that were opened, and where each message stands.
 *
 * Events and answers of the REST API come together here. An answer may be older than an event that came before it,
 * so every answer says at which moment it was asked for.
 */

import { cutOldest, forgetPages } from "./pages.js";
import { Signals } from "./signals.js";
import { afterEvent, afterSnapshot } from "./statuses.js";
import { Tracked } from "./tracked.js";

/** @typedef {import("./types.js").Change} Change */
/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./types.js").Known} Known */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Pending} Pending */
/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Thread} Thread */

export const MOST_CONVERSATIONS = 500;
export const MOST_IN_THREAD = 400;
const MOST_THREADS = 8;

/**
 * @typedef {object} News
 * @property {null} conversations  They changed.
 * @property {string} thread  The messages of this conversation changed.
 * @property {import("./types.js").Heard} heard
 * @property {Change} received  Somebody wrote.
 * @property {null} listStale  The list is to be read again.
 * @property {string} threadStale  The messages of this conversation are to be read again.
 */

/** @extends {Signals<News>} */
export class Store extends Signals {
  /** @type {Map<string, Known>} */
  conversations = new Map();
  /** @type {Map<string, import("./types.js").Account>} */
  accounts = new Map();
  /** The next page of conversations, if there is one. */
  /** @type {string | null} */
  more = null;
  isListed = false;
  tracked = new Tracked();
  /** @type {Map<string, Thread>} */
  #threads = new Map();
  #moment = 0;

  /** To be kept while the REST API is asked. */
  get moment() {
    return this.#moment;
  }

  /** @param {string} id */
  thread(id) {
    let thread = this.#threads.get(id);
    if (thread) this.#threads.delete(id);
    thread ??= { messages: [], pending: [], pages: new Map(), older: null, isCut: false, isLoaded: false };
    this.#threads.set(id, thread); // the last one used is the last one to go
    this.#dropThreads();
    return thread;
  }

  /** @returns {Known[]} the last active first. */
  byActivity() {
    return [...this.conversations.values()].sort((one, other) => (one.active < other.active ? 1 : -1));
  }

  /** @param {Change} change */
  follow(change) {
    this.#moment += 1;
    const track = this.tracked.follow(change, this.#moment);
    if (!track) return;
    this.emit("heard", { change, track });
    this.#followInThread(change);
    this.#followInList(change);
  }

  /** Somebody wrote. What it was is read over REST. @param {Change} written */
  receive(written) {
    this.#moment += 1;
    if (!this.tracked.follow(written, this.#moment)) return;
    this.emit("received", written);
    const known = this.conversations.get(written.conversation_id);
    // What the list shows as the last is in its number.
    if (known && written.message_id > (known.last_message?.id ?? "")) {
      known.unread_count += 1;
      known.counted = this.#moment;
      this.emit("conversations", null);
    }
    this.emit("listStale", null);
    if (this.#threads.get(written.conversation_id)?.isLoaded) this.emit("threadStale", written.conversation_id);
  }

  /**
   * Events were missed: only what is read from now on is known.
   * @param {string} shown  The conversation that will be read again.
   */
  doubt(shown) {
    this.tracked.forget();
    for (const [id, thread] of this.#threads) if (id !== shown) thread.isLoaded = false;
  }

  /**
   * @param {Conversation[]} conversations
   * @param {number} moment
   */
  learnConversations(conversations, moment) {
    for (const read of conversations) {
      const known = this.conversations.get(read.id);
      let last = read.last_message ?? known?.last_message ?? null;
      if (known?.last_message && last && known.last_message.id > last.id) last = known.last_message;
      else if (last) {
        const current = known?.last_message?.id === last.id ? known.last_message.status : null;
        last = { ...last, status: this.#settle(last.id, current, last.status, moment) };
      }
      const active = [known?.active ?? "", last?.id ?? "", known || last ? "" : read.id].sort().at(-1) ?? "";
      const { unread_count, counted } = known && known.counted > moment ? known : { ...read, counted: moment };
      this.conversations.set(read.id, { ...read, unread_count, counted, last_message: last, active });
    }
    this.#dropConversations();
    this.emit("conversations", null);
  }

  /**
   * @param {string} conversationId
   * @param {Message[]} newestFirst
   * @param {string | null} older
   * @param {number} moment
   */
  learnNewest(conversationId, newestFirst, older, moment) {
    const thread = this.thread(conversationId);
    const read = this.#settled(thread, newestFirst, moment).reverse();
    const newestKnown = thread.messages.at(-1)?.id ?? "";
    const isConnected = thread.isLoaded && !thread.isCut && (!read[0] || read[0].id <= newestKnown);
    const kept = isConnected ? thread.messages.filter((each) => !read[0] || each.id < read[0].id) : [];
    // What was accepted while this was read is not in it.
    const later = isConnected ? thread.messages.filter((each) => each.id > (read.at(-1)?.id ?? "")) : [];
    if (!kept.length) thread.older = older;
    if (read[0]) thread.pages.set(read[0].id, older);
    thread.messages = [...kept, ...read, ...later];
    thread.isLoaded = true;
    thread.isCut = false;
    if (thread.messages.length > MOST_IN_THREAD) cutOldest(thread, MOST_IN_THREAD);
    forgetPages(thread);
    this.#lastOf(conversationId, thread);
    this.emit("thread", conversationId);
  }

  /**
   * @param {string} conversationId
   * @param {Message[]} newestFirst
   * @param {string | null} older
   * @param {number} moment
   */
  learnOlder(conversationId, newestFirst, older, moment) {
    const thread = this.thread(conversationId);
    const oldestKnown = thread.messages[0]?.id;
    const read = this.#settled(thread, newestFirst, moment).filter((each) => !oldestKnown || each.id < oldestKnown);
    thread.messages = [...read.reverse(), ...thread.messages];
    thread.older = older;
    if (thread.messages[0]) thread.pages.set(thread.messages[0].id, older);
    if (thread.messages.length > MOST_IN_THREAD) {
      thread.messages = thread.messages.slice(0, MOST_IN_THREAD);
      thread.isCut = true;
    }
    forgetPages(thread);
    this.emit("thread", conversationId);
  }

  /**
   * @param {Message} message
   * @param {number} moment
   */
  learnMessage(message, moment) {
    const thread = this.#threads.get(message.conversation_id);
    const at = thread?.messages.findIndex((each) => each.id === message.id) ?? -1;
    if (!thread || at < 0) return;
    [thread.messages[at]] = /** @type {[Message]} */ (this.#settled(thread, [message], moment));
    this.#lastOf(message.conversation_id, thread);
    this.emit("thread", message.conversation_id);
  }

  /**
   * @param {string} conversationId
   * @param {Pending} pending
   */
  expect(conversationId, pending) {
    const thread = this.thread(conversationId);
    if (!thread.pending.includes(pending)) thread.pending.push(pending);
    this.emit("thread", conversationId);
  }

  /**
   * What was expected is there, or is not wanted any more.
   * @param {string} conversationId
   * @param {string} key
   * @param {Message} [accepted]
   */
  settleExpected(conversationId, key, accepted) {
    const thread = this.thread(conversationId);
    thread.pending = thread.pending.filter((each) => each.key !== key);
    if (accepted && !thread.isCut) {
      const others = thread.messages.filter((each) => each.id !== accepted.id);
      const [message] = /** @type {[Message]} */ (this.#settled(thread, [accepted], 0));
      thread.messages = [...others, message].sort((one, other) => (one.id < other.id ? -1 : 1));
      this.#lastOf(conversationId, thread);
    }
    this.emit("thread", conversationId);
  }

  /** @param {Change} change */
  #followInThread(change) {
    const thread = this.#threads.get(change.conversation_id);
    if (!thread?.isLoaded) return;
    const message = thread.messages.findLast((each) => each.id === change.message_id);
    if (!message) {
      const oldest = thread.messages[0];
      if (!oldest || change.message_id > oldest.id) this.emit("threadStale", change.conversation_id);
      return;
    }
    // What somebody sent was fetched, or could not be.
    if (change.kind === "media") this.emit("threadStale", change.conversation_id);
    const status = afterEvent(message.status, change.status, change.kind);
    if (status === message.status) return;
    // Events do not say why something failed.
    if (status === "failed") this.emit("threadStale", change.conversation_id);
    else message.error = null;
    message.status = status;
    this.emit("thread", change.conversation_id);
  }

  /** @param {Change} change */
  #followInList(change) {
    const known = this.conversations.get(change.conversation_id);
    if (!known) {
      if (change.kind === "queued") this.emit("listStale", null);
      return;
    }
    const last = known.last_message;
    if (last?.id === change.message_id) last.status = afterEvent(last.status, change.status, change.kind);
    else if (change.kind === "queued" && change.message_id > known.active) {
      known.active = change.message_id;
      this.emit("listStale", null);
    } else return;
    this.emit("conversations", null);
  }

  /**
   * @param {Thread} thread
   * @param {Message[]} messages
   * @param {number} moment
   */
  #settled(thread, messages, moment) {
    const known = new Map(thread.messages.map((each) => [each.id, each.status]));
    return messages.map((each) => {
      const status = this.#settle(each.id, known.get(each.id) ?? null, each.status, moment);
      return { ...each, status };
    });
  }

  /**
   * @param {string} messageId
   * @param {Status | null} current
   * @param {Status} read
   * @param {number} moment
   */
  #settle(messageId, current, read, moment) {
    const track = this.tracked.get(messageId);
    const known = track && track.moment > 0 ? track.status : current;
    const status = known ? afterSnapshot(known, read, (track?.moment ?? 0) <= moment) : read;
    if (track) this.tracked.note(messageId, status);
    return status;
  }

  /**
   * The list shows what the thread knows.
   * @param {string} conversationId
   * @param {Thread} thread
   */
  #lastOf(conversationId, thread) {
    const known = this.conversations.get(conversationId);
    const newest = thread.messages.at(-1);
    if (!known || !newest || thread.isCut || newest.id < (known.last_message?.id ?? "")) return;
    const { id, text, status, created_at } = newest;
    known.last_message = { id, text, status, created_at };
    if (id > known.active) known.active = id;
    this.emit("conversations", null);
  }

  #dropThreads() {
    for (const [id, thread] of this.#threads) {
      if (this.#threads.size <= MOST_THREADS) return;
      // What somebody wrote and could not be sent is not thrown away.
      if (!thread.pending.length) this.#threads.delete(id);
    }
  }

  #dropConversations() {
    if (this.conversations.size <= MOST_CONVERSATIONS) return;
    for (const { id } of this.byActivity().slice(MOST_CONVERSATIONS)) this.conversations.delete(id);
    this.more = null;
  }
}
