/** @import {Clock, Options, Settings, Surroundings} from './types.js' */

/** @type {Clock} */
export const REAL_CLOCK = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * What was not given, filled in.
 * @param {Options} options
 * @returns {Settings}
 */
export function settingsOf(options) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  /** @type {Settings} */
  const settings = {
    pingIntervalMs: 25_000,
    pongTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    minBackoffMs: 500,
    maxBackoffMs: 20_000,
    healthyAfterMs: 20_000,
    refreshBeforeMs: 60_000,
    frameBurst: 1_000,
    framesPerSecond: 20,
    maxSubscriptions: 1_000,
    rememberedEvents: 10_000,
    WebSocket: globalThis.WebSocket,
    clock: REAL_CLOCK,
    random: Math.random,
    surroundings: browser(),
    ...given,
  };
  if (typeof settings.WebSocket !== 'function') {
    throw new TypeError('There is no WebSocket here: give one as the option WebSocket.');
  }
  return settings;
}

/**
 * The address of the socket. It asks for batches, and never holds a token.
 * @param {string | URL} given
 * @returns {string}
 */
export function socketUrl(given) {
  const page = globalThis.location?.href;
  const url = new URL(given, page);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`url must be ws(s) or http(s), and is ${url.protocol}`);
  url.searchParams.set('batch', '1');
  url.hash = '';
  return url.href;
}

/** @returns {Surroundings | null} a page or a worker; null where there is neither */
function browser() {
  return typeof globalThis.addEventListener === 'function' ? globalThis : null;
}
