/** @import {ClientEvents, Options, Settings, State, StateName} from './types.js' */
/** @import {Ending} from './connection.js' */
import { Backoff, Close, isOrdered } from './backoff.js';
import { Connection } from './connection.js';
import { Listeners } from './listeners.js';
import { Page } from './page.js';
import { settingsOf, socketUrl } from './settings.js';
import { Subscriptions } from './subscriptions.js';
import { bringToken } from './token.js';

const LONGEST_WORD = 100;
/** A token that is about to end is replaced no more often than this. */
const SHORTEST_REFRESH_MS = 5_000;
/** Timers of browsers count to about 24 days. */
const LONGEST_TIMER_MS = 24 * 3600 * 1000;

/**
 * Live statuses of messages. It keeps what it watches over every reconnect, resumes where it was, tells no event
 * twice, and tells a `gap` where something was missed.
 *
 *     const client = new ChatStatusClient({ url: '/ws/status', getToken: ({ refresh }) => session.token(refresh) });
 *     client.on('status', ({ message_id, status }) => paint(message_id, status));
 *     client.subscribe(conversationId);
 *     client.connect();
 */
export class ChatStatusClient {
  /** @type {Settings} */
  #settings;
  #url;
  #getToken;
  #listeners = new Listeners();
  #subscriptions;
  #backoff;
  /** @type {State} */
  #state = { state: 'idle', reason: null, code: null, retryInMs: null };
  /** @type {Connection | null} */
  #connection = null;
  /** Whatever belongs to an earlier try has nothing to say any more. */
  #try = 0;
  /** @type {unknown} */
  #waiting = null;
  /** @type {unknown} */
  #refreshing = null;
  #needsFreshToken = false;
  #page;

  /** @param {Options} options */
  constructor(options) {
    if (typeof options?.getToken !== 'function') throw new TypeError('Give a function getToken that brings a token.');
    this.#url = socketUrl(options.url);
    this.#getToken = options.getToken;
    this.#settings = settingsOf(options);
    this.#backoff = new Backoff(this.#settings);
    this.#subscriptions = new Subscriptions(this.#settings, this.#listeners, (topic) =>
      this.#connection?.announce(topic),
    );
    this.#page = new Page(this.#settings.surroundings, {
      online: () => this.#hurry(),
      // A connection that is gone is found out now, not at the next ping.
      offline: () => this.#connection?.check(),
      // Timers of hidden pages sleep.
      visible: () => this.#hurry(),
    });
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** Harmless while connected. While waiting it tries at once, unless the server asked for the wait. */
  connect() {
    const { state } = this.#state;
    if (state === 'connecting' || state === 'connected') return;
    if (state === 'waiting') {
      this.#hurry();
      return;
    }
    this.#backoff.reset();
    this.#page.watch();
    this.#open();
  }

  /** Final until connect(). Subscriptions and their offsets are kept. */
  disconnect() {
    if (this.#state.state !== 'idle' && this.#state.state !== 'closed') this.#close('disconnected', null);
  }

  /**
   * In any state. With `since` everything after that offset comes again; without it, a second call changes nothing.
   * @param {string} conversationId
   * @param {{since?: string}} [from]
   */
  subscribe(conversationId, { since } = {}) {
    this.#subscriptions.add(checked('conversationId', conversationId).toLowerCase(), checkedSince(since));
  }

  /** @param {string} conversationId */
  unsubscribe(conversationId) {
    this.#subscriptions.remove(checked('conversationId', conversationId).toLowerCase());
  }

  /**
   * To every conversation there is.
   * @param {{since?: string}} [from]
   */
  subscribeOrganization({ since } = {}) {
    this.#subscriptions.add(null, checkedSince(since));
  }

  unsubscribeOrganization() {
    this.#subscriptions.remove(null);
  }

  /**
   * @template {keyof ClientEvents} E
   * @param {E} event
   * @param {(payload: ClientEvents[E]) => unknown} handler
   * @returns {() => void} takes the handler away again
   */
  on(event, handler) {
    this.#listeners.add(event, handler);
    return () => this.off(event, handler);
  }

  /**
   * @template {keyof ClientEvents} E
   * @param {E} event
   * @param {(payload: ClientEvents[E]) => unknown} handler
   */
  off(event, handler) {
    this.#listeners.remove(event, handler);
  }

  #open() {
    this.#settings.clock.clearTimeout(this.#waiting);
    const thisTry = ++this.#try;
    const isFresh = this.#needsFreshToken;
    bringToken(this.#getToken, isFresh, this.#settings).then(
      (token) => this.#try === thisTry && this.#dial(token, isFresh),
      (error) => this.#try === thisTry && this.#tokenFailed(error),
    );
    this.#enter('connecting', isFresh ? 'with a fresh token' : null);
  }

  /**
   * @param {string} token
   * @param {boolean} isFresh
   */
  #dial(token, isFresh) {
    try {
      this.#connection = new Connection(this.#url, token, this.#settings, {
        connected: (frame) => this.#connected(frame),
        received: (frame) => this.#subscriptions.receive(frame),
        garbled: (detail) => this.#tellError('bad_frame', `The server sent what is no frame: ${detail}`),
        healthy: () => this.#backoff.reset(),
        ended: (ending) => this.#ended(ending, isFresh),
        frameAbout: (topic) => this.#subscriptions.frameAbout(topic),
      });
    } catch (error) {
      this.#wait('the socket could not be opened', null);
      this.#tellError('no_socket', error);
    }
  }

  /** @param {Record<string, any>} frame */
  #connected({ expires_at: expiresAt }) {
    this.#needsFreshToken = false;
    this.#planRefresh(expiresAt);
    if (this.#state.state === 'connected') return;
    this.#subscriptions.begin();
    this.#enter('connected', null);
  }

  /**
   * @param {Ending} ending
   * @param {boolean} wasFresh whether it began with a token that was made for it
   */
  #ended({ code, reason, wasHealthy }, wasFresh) {
    if (code === Close.FORBIDDEN_ORIGIN) return this.#close(reason, code);
    if (code === Close.NOT_AUTHENTICATED) {
      if (wasFresh && !wasHealthy) return this.#close(reason, code);
      this.#needsFreshToken = true;
    }
    this.#wait(reason, code);
  }

  /**
   * @param {string} reason
   * @param {number | null} code
   */
  #wait(reason, code) {
    this.#leave();
    const retryInMs = this.#backoff.next(code);
    this.#waiting = this.#settings.clock.setTimeout(() => this.#open(), retryInMs);
    this.#enter('waiting', reason, code, retryInMs);
  }

  /**
   * @param {string} reason
   * @param {number | null} code
   */
  #close(reason, code) {
    this.#leave();
    this.#page.leave();
    this.#enter('closed', reason, code);
  }

  /** Nothing of this connection, or of the way to it, goes on. */
  #leave() {
    this.#try += 1;
    this.#settings.clock.clearTimeout(this.#waiting);
    this.#settings.clock.clearTimeout(this.#refreshing);
    this.#connection?.drop();
    this.#connection = null;
    this.#subscriptions.end();
  }

  /** A good moment to try has come. */
  #hurry() {
    if (this.#state.state === 'waiting' && !isOrdered(this.#state.code)) this.#open();
    else this.#connection?.check();
  }

  /** @param {any} error */
  #tokenFailed(error) {
    // Told last: a handler that disconnects has the last word.
    if (error?.terminal === true) this.#close('no token', null);
    else this.#wait('no token', null);
    this.#tellError('token_failed', error);
  }

  /**
   * Take a new token over the open socket, before this one ends.
   * @param {string | null | undefined} expiresAt
   */
  #planRefresh(expiresAt) {
    const left = Date.parse(expiresAt ?? '') - this.#settings.clock.now();
    this.#settings.clock.clearTimeout(this.#refreshing);
    // Over already: the clocks disagree. The server says when it is time.
    if (!(left > 0)) return;
    const early = Math.min(this.#settings.refreshBeforeMs, left / 2);
    this.#refreshAfter(Math.max(left - early, SHORTEST_REFRESH_MS), new Backoff(this.#settings));
  }

  /**
   * @param {number} ms
   * @param {Backoff} backoff
   */
  #refreshAfter(ms, backoff) {
    const connection = this.#connection;
    const thisTry = this.#try;
    const rest = ms - LONGEST_TIMER_MS;
    this.#refreshing = this.#settings.clock.setTimeout(() => {
      if (rest > 0) {
        this.#refreshAfter(rest, backoff);
        return;
      }
      bringToken(this.#getToken, true, this.#settings).then(
        (token) => this.#try === thisTry && connection?.authenticate(token),
        (error) => this.#try === thisTry && this.#refreshFailed(error, backoff),
      );
    }, Math.min(ms, LONGEST_TIMER_MS));
  }

  /**
   * @param {any} error
   * @param {Backoff} backoff
   */
  #refreshFailed(error, backoff) {
    if (error?.terminal === true) return this.#tokenFailed(error);
    this.#refreshAfter(SHORTEST_REFRESH_MS + backoff.next(), backoff);
    this.#tellError('token_failed', error);
  }

  /**
   * @param {StateName} state
   * @param {string | null} reason
   * @param {number | null} [code]
   * @param {number | null} [retryInMs]
   */
  #enter(state, reason, code = null, retryInMs = null) {
    this.#state = { state, reason, code, retryInMs };
    this.#listeners.tell('state', this.#state);
  }

  /**
   * @param {string} code
   * @param {unknown} error
   */
  #tellError(code, error) {
    const detail = error instanceof Error ? error.message : String(error);
    const thrown = error instanceof Error ? { error } : {};
    this.#listeners.tell('error', { code, detail, conversationId: null, ...thrown });
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checked(name, value) {
  if (typeof value === 'string' && value && value.length <= LONGEST_WORD) return value;
  throw new TypeError(`${name} must be a word of at most ${LONGEST_WORD} characters.`);
}

/** @param {string | null | undefined} since */
function checkedSince(since) {
  return since === undefined || since === null ? undefined : checked('since', since);
}
