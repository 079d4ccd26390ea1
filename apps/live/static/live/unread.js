/** Tells the server when somebody looks at a conversation: it keeps count of what nobody has read. */

import { asProblem } from "./api.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./store.js").Store} Store */

export class Unread {
  #api;
  #store;
  #mayTell;
  /** The conversation that somebody looks at, or "". */
  #seen = "";
  #isTold = false;

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    this.#mayTell = api.may("messages:write");
  }

  /**
   * It is told once; of what comes while one looks, when one looks away.
   * @param {string} id
   */
  look(id) {
    if (id !== this.#seen) {
      this.#tell(this.#seen);
      this.#seen = id;
      this.#isTold = false;
    }
    this.#isTold ||= this.#tell(id);
  }

  /** @param {string} id */
  #tell(id) {
    const isNeeded = this.#mayTell && Boolean(this.#store.conversations.get(id)?.unread_count);
    if (isNeeded) void this.#markRead(id);
    return isNeeded;
  }

  /** What fails is told when somebody looks again. @param {string} id */
  async #markRead(id) {
    const { moment } = this.#store;
    try {
      this.#store.learnConversations([await this.#api.post(`/v1/conversations/${id}/read`)], moment);
    } catch (error) {
      if (asProblem(error).status === 403) this.#mayTell = false;
    }
  }
}
