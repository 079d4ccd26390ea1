/** @import {Listeners} from './listeners.js' */
/** @import {Settings} from './types.js' */
import { Backoff } from './backoff.js';
import { Seen } from './seen.js';

/** Topics are conversations by their id, and the whole organization as null: as handlers are told of them. */
/** @typedef {string | null} Topic */

/**
 * @typedef {object} Subscription
 * @property {string | undefined} since the last offset seen
 * @property {boolean} isSaid whether the server was told on this connection
 * @property {boolean} isResuming events from before may still be on their way
 * @property {boolean} isBroken something may have been missed that `since` cannot bring back
 * @property {string | null} gapAt the offset of the last gap that was told, if nothing came after it
 * @property {Backoff} backoff
 * @property {unknown} retry the timer, while it waits to be asked for again
 */

/**
 * What is watched, and how far each was seen. It outlives connections: offsets are kept, and given back.
 *
 * About one topic only one question is under way at a time, so that every answer has its question.
 */
export class Subscriptions {
  /** @type {Map<Topic, Subscription>} */
  #wanted = new Map();
  /** @type {Set<Topic>} what this connection's server holds */
  #held = new Set();
  /** @type {Set<Topic>} what was asked, and not yet answered */
  #asked = new Set();
  #settings;
  #seen;
  #listeners;
  #announce;

  /**
   * @param {Settings} settings
   * @param {Listeners} listeners
   * @param {(topic: Topic) => void} announce there is something to say about this topic
   */
  constructor(settings, listeners, announce) {
    this.#settings = settings;
    this.#seen = new Seen(settings.rememberedEvents);
    this.#listeners = listeners;
    this.#announce = announce;
  }

  /**
   * @param {Topic} topic
   * @param {string | undefined} since
   */
  add(topic, since) {
    const there = this.#wanted.get(topic);
    if (there && since === undefined) return;
    if (!there && this.#wanted.size >= this.#settings.maxSubscriptions) {
      const detail = `${this.#settings.maxSubscriptions} at once are possible. Subscribe to the organization instead.`;
      this.#listeners.tell('error', { code: 'too_many_subscriptions', detail, conversationId: topic });
      return;
    }
    if (since !== undefined) this.#seen.forget(topic);
    if (there) this.#settings.clock.clearTimeout(there.retry);
    const fresh = { isSaid: false, isResuming: false, isBroken: false, gapAt: null, retry: null };
    this.#wanted.set(topic, { since, ...fresh, backoff: new Backoff(this.#settings) });
    this.#announce(topic);
  }

  /** @param {Topic} topic */
  remove(topic) {
    this.#settings.clock.clearTimeout(this.#wanted.get(topic)?.retry);
    if (this.#wanted.delete(topic)) this.#announce(topic);
  }

  /** A new connection knows of nothing. The organization first: its events cover the others. */
  begin() {
    if (this.#wanted.has(null)) this.#announce(null);
    for (const topic of this.#wanted.keys()) this.#announce(topic);
  }

  /** The connection is gone. */
  end() {
    this.#held.clear();
    this.#asked.clear();
    for (const subscription of this.#wanted.values()) {
      // It was to begin then, and begins later now: nobody knows what came between.
      if (subscription.isSaid && subscription.since === undefined) subscription.isBroken = true;
      subscription.isSaid = false;
      this.#settings.clock.clearTimeout(subscription.retry);
      subscription.retry = null;
    }
  }

  /**
   * What to say to the server about this topic now; null where there is nothing.
   * @param {Topic} topic
   */
  frameAbout(topic) {
    if (this.#asked.has(topic)) return null; // its answer brings us back here
    const subscription = this.#wanted.get(topic);
    const about = topic === null ? { scope: 'organization' } : { conversation_id: topic };
    if (subscription?.isSaid || (!subscription && !this.#held.has(topic))) return null;
    this.#asked.add(topic);
    if (!subscription) return { action: 'unsubscribe', ...about };
    subscription.isSaid = true;
    return { action: 'subscribe', ...about, since: subscription.since };
  }

  /**
   * An answer, an event or a gap.
   * @param {Record<string, any>} frame
   */
  receive(frame) {
    switch (frame.type) {
      case 'status':
      case 'message':
        return this.#happened(frame);
      case 'subscribed':
        return this.#subscribed(frame);
      case 'unsubscribed':
        this.#held.delete(topicOf(frame));
        return this.#answered(topicOf(frame));
      case 'gap':
        return this.#missed(topicOf(frame), frame.offset);
      case 'error':
        return this.#refused(frame);
      case 'pong':
        return this.#upTo(frame.offset);
      default: // newer than this client
    }
  }

  /**
   * Said behind all that waited: this far everything was seen, also of conversations in which nothing happened. With
   * an offset of long ago they would be told of a gap.
   * @param {string | null | undefined} offset
   */
  #upTo(offset) {
    if (!offset) return;
    for (const [topic, subscription] of this.#wanted) {
      if (!this.#held.has(topic) || this.#asked.has(topic) || subscription.isBroken) continue;
      subscription.since = offset;
      subscription.isResuming = false;
    }
  }

  /** @param {Record<string, any>} event */
  #happened(event) {
    const topic = event.conversation_id ?? null;
    const ofAll = this.#live(null);
    const ofOne = topic === null ? undefined : this.#live(topic);
    if (!ofAll && !ofOne) return;
    // Where it may have come for either, it does not show that one that resumes has had everything before it.
    const isForEither = ofAll && topic !== null && (this.#held.has(topic) || this.#asked.has(topic));
    for (const subscription of [ofAll, ofOne]) {
      if (!subscription || (isForEither && subscription.isResuming)) continue;
      subscription.since = event.offset ?? subscription.since;
      subscription.gapAt = null;
    }
    if (!this.#seen.isNew(event)) return;
    this.#listeners.tell(event.type, /** @type {any} */ (event));
  }

  /** @param {Record<string, any>} frame */
  #subscribed(frame) {
    const topic = topicOf(frame);
    this.#held.add(topic);
    const subscription = this.#answered(topic);
    if (!subscription) return;
    subscription.backoff.reset();
    subscription.isResuming = frame.recovered;
    const isBroken = subscription.isBroken;
    subscription.isBroken = false;
    // With a `since`, what follows moves it: events, or a gap.
    subscription.since ??= frame.offset;
    this.#listeners.tell('subscribed', { conversationId: topic, offset: frame.offset, recovered: frame.recovered });
    if (isBroken) this.#missed(topic, frame.offset);
  }

  /**
   * @param {Topic} topic
   * @param {string} offset
   */
  #missed(topic, offset) {
    const subscription = this.#live(topic);
    if (!subscription || subscription.gapAt === offset) return; // told, and nothing came since
    subscription.since = subscription.gapAt = offset;
    subscription.isResuming = false;
    this.#listeners.tell('gap', { conversationId: topic, offset });
  }

  /** @param {Record<string, any>} frame */
  #refused({ code, detail, ...about }) {
    const isAbout = about.conversation_id !== undefined || about.scope === 'organization';
    const topic = topicOf(about);
    if (isAbout && !this.#wanted.has(topic)) this.#held.delete(topic); // to leave was refused: there is nothing to leave
    const subscription = isAbout ? this.#answered(topic) : undefined;
    if (isAbout && !subscription) return; // nobody wants it any more, or it is asked for anew
    /** @type {{retryInMs?: number}} */
    const more = {};
    if (subscription && code === 'unavailable') {
      more.retryInMs = subscription.backoff.next();
      subscription.retry = this.#settings.clock.setTimeout(() => this.#sayAgain(topic, subscription), more.retryInMs);
    } else if (subscription && code === 'bad_offset' && subscription.since !== undefined) {
      subscription.since = undefined;
      subscription.isBroken = true;
      this.#sayAgain(topic, subscription);
    } else if (subscription) {
      this.remove(topic);
    }
    this.#listeners.tell('error', { code, detail, conversationId: topic, ...more });
  }

  /**
   * The question about this topic is answered.
   * @param {Topic} topic
   * @returns {Subscription | undefined} what the answer is for; nothing if it has changed meanwhile
   */
  #answered(topic) {
    if (!this.#asked.delete(topic)) return undefined;
    const subscription = this.#wanted.get(topic);
    if (subscription?.isSaid) return subscription;
    this.#announce(topic);
    return undefined;
  }

  /**
   * @param {Topic} topic
   * @param {Subscription} subscription
   */
  #sayAgain(topic, subscription) {
    subscription.isSaid = false;
    subscription.retry = null;
    this.#announce(topic);
  }

  /**
   * @param {Topic} topic
   * @returns {Subscription | undefined} if the server has said yes to it as it is now
   */
  #live(topic) {
    const subscription = this.#wanted.get(topic);
    if (!subscription?.isSaid || subscription.retry !== null) return undefined;
    return this.#held.has(topic) && !this.#asked.has(topic) ? subscription : undefined;
  }
}

/**
 * @param {Record<string, any>} frame
 * @returns {Topic}
 */
function topicOf(frame) {
  return frame.conversation_id ?? null;
}
