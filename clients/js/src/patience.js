/** @import {Clock, UploadSettings} from './types.js' */
import { Backoff } from './backoff.js';
import { UploadFailed } from './upload-failed.js';

/** Whoever wants to be left alone for longer is told of to the caller. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Do it, and do it again where what went wrong may pass.
 * @template T
 * @param {() => Promise<T>} work
 * @param {UploadSettings} settings
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export async function patiently(work, settings, signal = settings.signal) {
  const backoff = new Backoff(settings);
  for (let triesLeft = settings.tries - 1; ; triesLeft -= 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const mayPass = error instanceof UploadFailed && error.mayPass && error.retryAfterMs <= LONGEST_WAIT_MS;
      if (!mayPass || triesLeft <= 0) throw error;
      await pause(Math.max(backoff.next(), error.retryAfterMs), settings.clock, signal);
    }
  }
}

/**
 * @param {number} ms
 * @param {Clock} clock
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects at once where it is given up
 */
export function pause(ms, clock, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const giveUp = () => {
      clock.clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
