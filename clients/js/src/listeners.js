/** @import {ClientEvents, Problem} from './types.js' */

/**
 * Who wants to know what. What one of them throws reaches no other, and is never lost: it becomes an `error`, and
 * where nobody listens to errors, or those who do throw, a line on the console.
 */
export class Listeners {
  /** @type {Map<string, Set<(payload: any) => unknown>>} */
  #byEvent = new Map(
    ['status', 'message', 'state', 'subscribed', 'gap', 'error'].map((event) => [event, new Set()]),
  );
  /** @type {[string, unknown][]} */
  #waiting = [];
  #isTelling = false;

  /**
   * @template {keyof ClientEvents} E
   * @param {E} event
   * @param {(payload: ClientEvents[E]) => unknown} handler
   */
  add(event, handler) {
    if (typeof handler !== 'function') throw new TypeError('Give a function as the handler.');
    this.#of(event).add(handler);
  }

  /**
   * @template {keyof ClientEvents} E
   * @param {E} event
   * @param {(payload: ClientEvents[E]) => unknown} handler
   */
  remove(event, handler) {
    this.#of(event).delete(handler);
  }

  /**
   * In order, even where a handler makes something happen itself: that is told after what is being told.
   * @template {keyof ClientEvents} E
   * @param {E} event
   * @param {ClientEvents[E]} payload
   */
  tell(event, payload) {
    this.#waiting.push([event, payload]);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#tellAll(...next);
    this.#isTelling = false;
  }

  /** @param {string} event */
  #of(event) {
    const handlers = this.#byEvent.get(event);
    if (!handlers) throw new TypeError(`There is no event ${event}. There are ${[...this.#byEvent.keys()].join(', ')}.`);
    return handlers;
  }

  /**
   * @param {string} event
   * @param {unknown} payload
   */
  #tellAll(event, payload) {
    const handlers = [...this.#of(event)];
    if (event === 'error' && handlers.length === 0) console.error('Recado:', payload);
    for (const handler of handlers) {
      try {
        Promise.resolve(handler(payload)).catch((error) => this.#failed(event, error));
      } catch (error) {
        this.#failed(event, error);
      }
    }
  }

  /**
   * @param {string} event
   * @param {unknown} error
   */
  #failed(event, error) {
    /** @type {Problem} */
    const problem = {
      code: 'handler_failed',
      detail: `A handler of "${event}" failed: ${error instanceof Error ? error.message : String(error)}`,
      conversationId: null,
      error,
    };
    if (event === 'error') console.error('Recado:', problem);
    else this.tell('error', problem);
  }
}
