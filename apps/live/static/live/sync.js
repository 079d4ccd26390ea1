/** Reads over REST what no event tells, and no more often than it must. */

import { asProblem, pathOf } from "./api.js";
import { paced } from "./dom.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Account} Account */
/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./types.js").Message} Message */

const LIST_PACE_MS = 1500;
const THREAD_PACE_MS = 1000;
// While no socket is open, what one looks at is read this often.
const POLL_MS = 5000;
const MOST_PAGES_OF_ACCOUNTS = 5;

export class Sync {
  #api;
  #store;
  /** Which conversation is open, if any. */
  open = "";
  #refreshList;
  #refreshOpen;
  #pollTimer = 0;
  #isListAsked = false;

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    this.#refreshList = paced(() => this.#whileSeen(() => this.conversations()), LIST_PACE_MS);
    this.#refreshOpen = paced(() => this.#whileSeen(() => this.#openAgain()), THREAD_PACE_MS);
    store.on("listStale", () => this.#refreshList());
    store.on("threadStale", (id) => id === this.open && this.#refreshOpen());
    document.addEventListener("visibilitychange", () => document.hidden || this.all());
  }

  /** Everything that is seen. */
  all() {
    this.#refreshList();
    this.#refreshOpen();
  }

  /** @param {boolean} isNeeded  No socket is open. */
  poll(isNeeded) {
    clearInterval(this.#pollTimer);
    this.#pollTimer = isNeeded ? window.setInterval(() => this.all(), POLL_MS) : 0;
  }

  async conversations() {
    const moment = this.#store.moment;
    /** @type {import("./types.js").Page<Conversation>} */
    const page = await this.#api.get("/v1/conversations/recent?limit=50");
    if (!this.#isListAsked) this.#store.more = page.next && pathOf(page.next);
    this.#isListAsked = this.#store.isListed = true;
    this.#store.learnConversations(page.data, moment);
  }

  async moreConversations() {
    if (!this.#store.more) return;
    const moment = this.#store.moment;
    /** @type {import("./types.js").Page<Conversation>} */
    const page = await this.#api.get(this.#store.more);
    this.#store.more = page.next && pathOf(page.next);
    this.#store.learnConversations(page.data, moment);
  }

  /**
   * Also those that have been silent for long.
   * @param {string} who  A whole address, or how a name begins.
   */
  async conversationsWith(who) {
    const by = /[\d@]/.test(who) ? "address" : "name";
    const moment = this.#store.moment;
    /** @type {import("./types.js").Page<Conversation>} */
    const page = await this.#api.get(`/v1/conversations/recent?limit=50&${by}=${encodeURIComponent(who)}`);
    this.#store.learnConversations(page.data, moment);
    return page.data.map((each) => each.id);
  }

  /** @param {string} id */
  async conversation(id) {
    if (this.#store.conversations.has(id)) return;
    const moment = this.#store.moment;
    const conversation = await this.#api.get(`/v1/conversations/${id}`);
    this.#store.learnConversations([conversation], moment);
  }

  /** @param {string} id */
  async newest(id, most = 50) {
    const moment = this.#store.moment;
    /** @type {import("./types.js").Page<Message>} */
    const page = await this.#api.get(`/v1/conversations/${id}/messages?limit=${most}`);
    this.#store.learnNewest(id, page.data, page.next && pathOf(page.next), moment);
  }

  /** @param {string} id */
  async older(id) {
    const { older } = this.#store.thread(id);
    if (!older) return;
    const moment = this.#store.moment;
    /** @type {import("./types.js").Page<Message>} */
    const page = await this.#api.get(older);
    this.#store.learnOlder(id, page.data, page.next && pathOf(page.next), moment);
  }

  async accounts() {
    /** @type {string | null} */
    let path = "/v1/channel-accounts?limit=200";
    for (let n = 0; path && n < MOST_PAGES_OF_ACCOUNTS; n += 1) {
      /** @type {import("./types.js").Page<Account>} */
      const page = await this.#api.get(path);
      for (const account of page.data) this.#store.accounts.set(account.id, account);
      path = page.next && pathOf(page.next);
    }
    this.#store.emit("conversations", null);
  }

  /** So that the charts do not begin with nothing. */
  async latestMessages() {
    /** @type {import("./types.js").Page<Message>} */
    const page = await this.#api.get("/v1/messages?limit=200");
    for (const message of page.data.reverse()) {
      if (!this.#store.tracked.get(message.id)) this.#store.tracked.note(message.id, message.status);
    }
  }

  /** Events were missed: what is shown is read again, and what is not shown is forgotten. */
  async afterGap() {
    this.#store.doubt(this.open);
    const reads = [this.conversations(), this.latestMessages()];
    if (this.open) reads.push(this.newest(this.open, 200));
    await Promise.all(reads.map((each) => each.catch(asProblem)));
  }

  async #openAgain() {
    if (!this.open) return;
    const thread = this.#store.thread(this.open);
    if (thread.isCut) return;
    // What is being sent would be there twice for a moment.
    if (thread.pending.some((each) => each.isHanded)) this.#refreshOpen();
    else await this.newest(this.open);
  }

  /**
   * What fails is asked for again with the next event, or when somebody looks at the page again.
   * @param {() => Promise<void>} work
   */
  #whileSeen(work) {
    if (!document.hidden) work().catch(asProblem);
  }
}
