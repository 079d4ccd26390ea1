/** The events that were told lately, so that none is told twice. Bounded: the oldest are forgotten first. */
export class Seen {
  /** @type {Map<string, string>} the conversation of each event */
  #events = new Map();
  #most;

  /** @param {number} most */
  constructor(most) {
    this.#most = most;
  }

  /**
   * Whether this is the first time.
   * @param {Record<string, any>} event
   */
  isNew(event) {
    const word = event.event_id ?? event.offset;
    if (word === undefined) return true;
    const name = `${event.type} ${word}`;
    if (this.#events.has(name)) return false;
    this.#events.set(name, event.conversation_id);
    if (this.#events.size > this.#most) this.#events.delete(/** @type {string} */ (this.#events.keys().next().value));
    return true;
  }

  /**
   * Somebody asked to be told again.
   * @param {string | null} conversationId null: of all conversations
   */
  forget(conversationId) {
    for (const [name, of] of this.#events) {
      if (conversationId === null || of === conversationId) this.#events.delete(name);
    }
  }
}
