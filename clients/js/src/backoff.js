/** How a socket ended, where it matters to those who come back. */
export const Close = Object.freeze({
  NOT_AUTHENTICATED: 4401,
  FORBIDDEN_ORIGIN: 4403,
  TOO_MANY: 4429,
  RESTARTING: 1012,
});

/** Those who were too many come back after this, and a random time more. */
const TOO_MANY_MS = 20_000;
/** Everybody comes back from a restart; they spread over at least this. */
const RESTART_SPREAD_MS = 3_000;

/** Full jitter: a random time between 0 and a bound that doubles. */
export class Backoff {
  #failures = 0;
  #minMs;
  #maxMs;
  #random;

  /**
   * @param {{minBackoffMs: number, maxBackoffMs: number, random: () => number}} settings
   */
  constructor({ minBackoffMs, maxBackoffMs, random }) {
    this.#minMs = minBackoffMs;
    this.#maxMs = maxBackoffMs;
    this.#random = random;
  }

  /**
   * How long to wait now.
   * @param {number | null} [code] that the socket was closed with
   * @returns {number}
   */
  next(code = null) {
    const bound = Math.min(this.#maxMs, this.#minMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    if (code === Close.TOO_MANY) return TOO_MANY_MS + this.#random() * Math.max(bound, TOO_MANY_MS);
    if (code === Close.RESTARTING) return this.#random() * Math.max(bound, RESTART_SPREAD_MS);
    return this.#random() * bound;
  }

  reset() {
    this.#failures = 0;
  }
}

/**
 * Whether the server itself asked for this wait, so that nothing here may cut it short.
 * @param {number | null} code
 */
export function isOrdered(code) {
  return code === Close.TOO_MANY || code === Close.RESTARTING;
}
