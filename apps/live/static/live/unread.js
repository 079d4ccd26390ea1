/** What is new in each conversation since somebody last looked at it in this browser. */

const MOST_KEPT = 500;

/** @typedef {import("./types.js").Conversation} Conversation */

export class Unread {
  /** By conversation: the newest message when it was looked at. */
  /** @type {Map<string, string>} */
  #seen;
  /** @type {Map<string, Set<string>>} */
  #counted = new Map();
  #place;

  /** @param {string} organization */
  constructor(organization) {
    this.#place = `recado.seen.${organization}`;
    this.#seen = new Map(recall(this.#place));
  }

  /**
   * @param {string} conversationId
   * @param {string} messageId
   */
  count(conversationId, messageId) {
    const counted = this.#counted.get(conversationId) ?? new Set();
    if (counted.size < 100) counted.add(messageId);
    this.#counted.set(conversationId, counted);
    trim(this.#counted);
  }

  /**
   * @param {string} conversationId
   * @param {string} newest
   */
  look(conversationId, newest) {
    this.#counted.delete(conversationId);
    if (!newest || (this.#seen.get(conversationId) ?? "") >= newest) return;
    this.#seen.delete(conversationId);
    this.#seen.set(conversationId, newest);
    trim(this.#seen);
    keep(this.#place, [...this.#seen]);
  }

  /**
   * How many, as far as this page counted them; `isMore` where it was not there to count.
   * @param {Conversation} conversation
   */
  of(conversation) {
    const seen = this.#seen.get(conversation.id);
    const count = this.#counted.get(conversation.id)?.size ?? 0;
    const last = conversation.last_message?.id ?? "";
    return { count, isMore: count === 0 && seen !== undefined && last > seen };
  }
}

/** @param {Map<string, unknown>} map  The one that was touched last goes last. */
function trim(map) {
  for (const key of map.keys()) {
    if (map.size <= MOST_KEPT) return;
    map.delete(key);
  }
}

/**
 * @param {string} place
 * @returns {[string, string][]}
 */
function recall(place) {
  try {
    const kept = JSON.parse(localStorage.getItem(place) ?? "[]");
    return Array.isArray(kept) ? kept.filter((pair) => Array.isArray(pair) && pair.length === 2) : [];
  } catch {
    return []; // nobody can read it, or browsers may keep nothing: everything is as if it were new
  }
}

/**
 * @param {string} place
 * @param {[string, string][]} seen
 */
function keep(place, seen) {
  try {
    localStorage.setItem(place, JSON.stringify(seen));
  } catch {
    // Full, or not allowed. It holds until the page is left.
  }
}
