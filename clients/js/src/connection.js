/** @import {Settings} from './types.js' */
import { Outbox } from './outbox.js';

/**
 * @typedef {object} Ending
 * @property {number | null} code null: it was ended here
 * @property {string} reason
 * @property {boolean} wasHealthy
 *
 * @typedef {object} ConnectionListener
 * @property {(frame: Record<string, any>) => void} connected also each time a new token was taken
 * @property {(frame: Record<string, any>) => void} received batches are unpacked
 * @property {(detail: string) => void} garbled
 * @property {() => void} healthy it held for a while
 * @property {(ending: Ending) => void} ended once, and never after drop()
 * @property {(about: string | null) => object | null} frameAbout what to say about a subscription now
 */

/** One socket, from its opening to its end: who we are, whether the other side lives, and how fast we may talk. */
export class Connection {
  /** @type {WebSocket} */
  #socket;
  #settings;
  #listener;
  #outbox;
  #isConnected = false;
  #isHealthy = false;
  #isOver = false;
  /** @type {Map<string, unknown>} */
  #timers = new Map();

  /**
   * @param {string} url
   * @param {string} token
   * @param {Settings} settings
   * @param {ConnectionListener} listener
   */
  constructor(url, token, settings, listener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#outbox = new Outbox(settings, (about) => this.#sendAbout(about));
    this.#socket = new settings.WebSocket(url);
    this.#socket.onopen = () => this.authenticate(token);
    this.#socket.onmessage = ({ data }) => this.#read(data);
    // What went wrong is told by the close that follows an error.
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason || `closed with ${code}`);
    this.#after('connect', settings.connectTimeoutMs, () => this.#end(null, 'no answer to the connection'));
  }

  /** @param {string} token */
  authenticate(token) {
    this.#send({ action: 'authenticate', token });
  }

  /**
   * There is something to say about this subscription.
   * @param {string | null} about
   */
  announce(about) {
    if (this.#isConnected && !this.#isOver) this.#outbox.add(about);
  }

  /** Find out now whether the other side is there. */
  check() {
    if (!this.#isConnected || this.#isOver || this.#timers.has('pong')) return;
    this.#cancel('ping');
    this.#send({ action: 'ping' });
    this.#after('pong', this.#settings.pongTimeoutMs, () => this.#end(null, 'no answer to a ping'));
  }

  /** End it without a word to the listener. */
  drop() {
    this.#isOver = true;
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    this.#outbox.close();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(1000);
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   */
  #end(code, reason) {
    if (this.#isOver) return;
    this.drop();
    this.#listener.ended({ code, reason, wasHealthy: this.#isHealthy });
  }

  /** @param {object} frame */
  #send(frame) {
    // A socket that is closing takes nothing more; its close is about to be told.
    if (this.#socket.readyState !== 1) return;
    this.#outbox.spend();
    this.#socket.send(JSON.stringify(frame));
  }

  /** @param {string | null} about */
  #sendAbout(about) {
    const frame = this.#socket.readyState === 1 ? this.#listener.frameAbout(about) : null;
    if (frame) this.#socket.send(JSON.stringify(frame));
    return frame !== null;
  }

  /** @param {unknown} data */
  #read(data) {
    const frame = parsed(data);
    if (frame === null) {
      this.#listener.garbled(String(data).slice(0, 100));
      return;
    }
    // Whatever comes is a sign of life: an answer may stand in line behind many events.
    if (this.#isConnected) this.#rest();
    if (frame.type === 'connected') this.#greeted(frame);
    else if (frame.type === 'batch' && Array.isArray(frame.events)) this.#unpack(frame.events);
    else this.#listener.received(frame);
  }

  /** @param {any[]} events */
  #unpack(events) {
    for (const event of events) {
      if (typeof event?.type === 'string') this.#listener.received(event);
    }
  }

  /** @param {Record<string, any>} frame */
  #greeted(frame) {
    if (!this.#isConnected) {
      this.#isConnected = true;
      this.#cancel('connect');
      this.#after('healthy', this.#settings.healthyAfterMs, () => {
        this.#isHealthy = true;
        this.#listener.healthy();
      });
      this.#rest();
    }
    this.#listener.connected(frame);
  }

  /** All is well until the next ping. */
  #rest() {
    this.#cancel('pong');
    if (!this.#timers.has('ping')) this.#after('ping', this.#settings.pingIntervalMs, () => this.check());
  }

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} run
   */
  #after(name, ms, run) {
    const timer = this.#settings.clock.setTimeout(() => {
      this.#timers.delete(name);
      run();
    }, ms);
    this.#timers.set(name, timer);
  }

  /** @param {string} name */
  #cancel(name) {
    this.#settings.clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/**
 * @param {unknown} data
 * @returns {Record<string, any> | null} null where it is no frame
 */
function parsed(data) {
  try {
    const frame = typeof data === 'string' ? JSON.parse(data) : null;
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}
