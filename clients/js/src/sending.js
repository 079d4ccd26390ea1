/** @import {UploadSettings} from './types.js' */
import { UploadFailed } from './upload-failed.js';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} text
 * @property {string | null} retryAfter
 *
 * @typedef {object} Body
 * @property {string} method
 * @property {string | URL} url
 * @property {Record<string, string>} headers
 * @property {FormData | ArrayBuffer} body
 * @property {number} size
 * @property {(loaded: number) => void} onSent
 * @property {AbortSignal} signal
 */

const UNAVAILABLE = [429, 503];

/**
 * Send a body that may be long. XMLHttpRequest tells how far it is; fetch only when all of it is there.
 * @param {Body} what
 * @param {UploadSettings} settings
 * @returns {Promise<Answer>} whatever the status; rejects where there is none
 */
export async function send(what, settings) {
  what.signal.throwIfAborted();
  what.onSent(0);
  const { XMLHttpRequest } = settings;
  const answer = await (XMLHttpRequest ? byRequest(what, new XMLHttpRequest(), settings) : byFetch(what, settings));
  what.onSent(what.size);
  return answer;
}

/**
 * What a connection without an answer is called.
 * @param {string | URL} url
 * @param {unknown} cause
 */
export function unreachable(url, cause) {
  const { host } = new URL(url, globalThis.location?.href);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UploadFailed('unreachable', `${host} cannot be reached: ${why}.`, { mayPass: true, cause });
}

/**
 * @param {Body} what
 * @param {XMLHttpRequest} request
 * @param {UploadSettings} settings
 * @returns {Promise<Answer>}
 */
function byRequest({ method, url, headers, body, size, onSent, signal }, request, { clock, stalledAfterMs }) {
  return new Promise((resolve, reject) => {
    /** @type {unknown} */
    let timer = null;
    /** @param {string} why */
    const broke = (why) => reject(unreachable(url, why));
    const watch = () => {
      clock.clearTimeout(timer);
      timer = clock.setTimeout(() => {
        broke('nothing moves any more');
        request.abort();
      }, stalledAfterMs);
    };
    const giveUp = () => {
      reject(signal.reason);
      request.abort();
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      watch();
      onSent(Math.min(loaded, size));
    };
    request.onload = () => {
      const { status, responseText: text } = request;
      // A browser complains on its console where a server of another origin does not show this.
      const retryAfter = UNAVAILABLE.includes(status) ? request.getResponseHeader('Retry-After') : null;
      resolve({ status, text, retryAfter });
    };
    request.onerror = () => broke('the connection broke, or it does not allow this page');
    request.onloadend = () => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    };
    signal.addEventListener('abort', giveUp);
    watch();
    request.send(body);
  });
}

/**
 * @param {Body} what
 * @param {UploadSettings} settings
 * @returns {Promise<Answer>}
 */
async function byFetch({ method, url, headers, body, signal }, { fetch }) {
  try {
    const answer = await fetch(url, { method, headers, body, signal });
    return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('Retry-After') };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(url, error);
  }
}
