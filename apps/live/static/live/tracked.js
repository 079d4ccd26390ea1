/** What was told of the latest messages: where each stands, and when it was accepted. */

import { afterEvent } from "./statuses.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Change} Change */
/**
 * @typedef {object} Track
 * @property {Status} status
 * @property {number} eventId
 * @property {number} moment
 * @property {{at: number, heard: number} | null} accepted  When, by the server's clock, and when it was heard of here.
 */

export const MOST_TRACKED = 5000;

export class Tracked {
  /** @type {Map<string, Track>} */
  #tracks = new Map();
  /** @type {Map<Status, number>} */
  counts = new Map();

  /** @param {string} messageId */
  get(messageId) {
    return this.#tracks.get(messageId);
  }

  get size() {
    return this.#tracks.size;
  }

  /**
   * @param {Change} change
   * @param {number} moment
   * @returns {Track | null}  null if it was told before.
   */
  follow(change, moment) {
    const known = this.#tracks.get(change.message_id);
    const eventId = Number(change.event_id) || 0;
    if (known && eventId && known.eventId >= eventId) return null;
    const status = known ? afterEvent(known.status, change.status, change.kind) : change.status;
    const accepted = change.kind === "queued" ? { at: Date.parse(change.at), heard: Date.now() } : null;
    this.#put(change.message_id, {
      status,
      eventId: Math.max(eventId, known?.eventId ?? 0),
      moment,
      accepted: known?.accepted ?? accepted,
    });
    return this.#tracks.get(change.message_id) ?? null;
  }

  /**
   * Of a message that was read and of which no event was heard.
   * @param {string} messageId
   * @param {Status} status
   */
  note(messageId, status) {
    const known = this.#tracks.get(messageId);
    if (known?.status === status) return;
    this.#put(messageId, {
      status,
      eventId: known?.eventId ?? 0,
      moment: known?.moment ?? 0,
      accepted: known?.accepted ?? null,
    });
  }

  forget() {
    this.#tracks.clear();
    this.counts.clear();
  }

  /**
   * @param {string} messageId
   * @param {Track} track
   */
  #put(messageId, track) {
    const known = this.#tracks.get(messageId);
    if (known) this.#count(known.status, -1);
    this.#tracks.set(messageId, track);
    this.#count(track.status, 1);
    if (this.#tracks.size > MOST_TRACKED) {
      const [oldest, gone] = /** @type {[string, Track]} */ (this.#tracks.entries().next().value);
      this.#tracks.delete(oldest);
      this.#count(gone.status, -1);
    }
  }

  /**
   * @param {Status} status
   * @param {number} change
   */
  #count(status, change) {
    this.counts.set(status, (this.counts.get(status) ?? 0) + change);
  }
}
