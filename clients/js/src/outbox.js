/** @import {Clock, Settings} from './types.js' */

/**
 * What is still to be said about subscriptions, no faster than the server listens. It holds what they are about
 * rather than frames: whoever changes their mind before it is their turn costs nothing.
 */
export class Outbox {
  /** @type {Set<string | null>} */
  #waiting = new Set();
  /** @type {unknown} */
  #timer = null;
  /** @type {Clock} */
  #clock;
  #burst;
  #perMs;
  #left;
  #at;
  #send;

  /**
   * @param {Settings} settings
   * @param {(about: string | null) => boolean} send says what there is to say, and whether there was anything
   */
  constructor({ clock, frameBurst, framesPerSecond }, send) {
    this.#clock = clock;
    this.#burst = frameBurst;
    this.#perMs = framesPerSecond / 1000;
    this.#left = frameBurst;
    this.#at = clock.now();
    this.#send = send;
  }

  /** @param {string | null} about */
  add(about) {
    this.#waiting.add(about);
    this.#flush();
  }

  /** Something that cannot wait was sent. It counts. */
  spend() {
    this.#refill();
    this.#left -= 1;
  }

  close() {
    this.#waiting.clear();
    this.#clock.clearTimeout(this.#timer);
  }

  #flush() {
    if (this.#timer !== null) return;
    this.#refill();
    for (const about of this.#waiting) {
      if (this.#left < 1) {
        this.#timer = this.#clock.setTimeout(() => {
          this.#timer = null;
          this.#flush();
        }, Math.ceil((1 - this.#left) / this.#perMs));
        return;
      }
      this.#waiting.delete(about);
      if (this.#send(about)) this.#left -= 1;
    }
  }

  #refill() {
    const now = this.#clock.now();
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
