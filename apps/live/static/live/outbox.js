/** Hands messages over to the server. Until it has them, they are kept here. */

import { asProblem, newKey } from "./api.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Pending} Pending */

export const MOST_PENDING = 20;

export class Outbox {
  #api;
  #store;
  /** @type {(message: Message) => void} */
  onAccepted = () => {};

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
  }

  /** @param {string} conversationId */
  isFull(conversationId) {
    return this.#store.thread(conversationId).pending.length >= MOST_PENDING;
  }

  /**
   * @param {string} conversationId
   * @param {string} text
   * @param {import("./types.js").WantedParts} parts
   * @param {import("./upload.js").Upload | null} upload  It goes when that is there.
   */
  send(conversationId, text, parts, upload) {
    const pending = { key: newKey(), text, parts, upload, at: new Date(), problem: null, isHanded: false };
    return this.hand(conversationId, pending);
  }

  /**
   * With the same key each time: what arrived without our hearing of it is not accepted twice.
   * @param {string} conversationId
   * @param {Pending} pending
   */
  async hand(conversationId, pending) {
    pending.problem = null;
    this.#store.expect(conversationId, pending);
    try {
      const { text, upload } = pending;
      const parts = upload ? { media: { file_id: await upload.ready() } } : pending.parts;
      pending.isHanded = true;
      const body = { conversation_id: conversationId, ...(text ? { text } : {}), ...parts };
      /** @type {Message} */
      const message = await this.#api.post("/v1/messages", body, pending.key);
      this.#store.settleExpected(conversationId, pending.key, message);
      this.onAccepted(message);
    } catch (error) {
      if (pending.upload?.isCancelled) return;
      pending.problem = asProblem(error);
      this.#store.expect(conversationId, pending);
    } finally {
      pending.isHanded = false;
    }
  }

  /**
   * @param {string} conversationId
   * @param {Pending} pending
   */
  discard(conversationId, pending) {
    pending.upload?.cancel();
    this.#store.settleExpected(conversationId, pending.key);
  }
}
