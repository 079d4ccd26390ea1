/** @import {Surroundings} from './types.js' */

/** What a page, or a worker, tells of: that the network came or went, and that somebody looks at it again. */
export class Page {
  #surroundings;
  #listener;
  #isWatched = false;

  /**
   * @param {Surroundings | null} surroundings null outside of browsers
   * @param {{online: () => void, offline: () => void, visible: () => void}} listener
   */
  constructor(surroundings, listener) {
    this.#surroundings = surroundings;
    this.#listener = listener;
  }

  watch() {
    if (!this.#isWatched) this.#change('addEventListener');
    this.#isWatched = true;
  }

  leave() {
    if (this.#isWatched) this.#change('removeEventListener');
    this.#isWatched = false;
  }

  /** @param {'addEventListener' | 'removeEventListener'} how */
  #change(how) {
    this.#surroundings?.[how]('online', this.#listener.online);
    this.#surroundings?.[how]('offline', this.#listener.offline);
    this.#surroundings?.document?.[how]('visibilitychange', this.#onVisibility);
  }

  #onVisibility = () => {
    if (this.#surroundings?.document?.visibilityState === 'visible') this.#listener.visible();
  };
}
