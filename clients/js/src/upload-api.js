/** @import {UploadSettings} from './types.js' */
/** @import {Answer} from './sending.js' */
import { patiently } from './patience.js';
import { unreachable } from './sending.js';
import { bringToken } from './token.js';
import { refusal, UploadFailed } from './upload-failed.js';

/** Recado's own API: with a token, which is replaced when it is refused, and as patient as the settings say. */
export class UploadApi {
  #base;
  #settings;

  /**
   * @param {string | URL} url of the server
   * @param {UploadSettings} settings
   */
  constructor(url, settings) {
    this.#base = new URL(url, globalThis.location?.href).href.replace(/[?#].*$/, '').replace(/\/+$/, '');
    this.#settings = settings;
  }

  /** @param {string} path */
  url(path) {
    return `${this.#base}${path}`;
  }

  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  get(path) {
    return patiently(() => this.#call('GET', path), this.#settings);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  post(path, body, headers) {
    return patiently(() => this.once(path, body, headers), this.#settings);
  }

  /**
   * Without patience, for those who have their own.
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  once(path, body, headers) {
    return this.#call('POST', path, JSON.stringify(body), headers);
  }

  /**
   * That an upload is given up, though we are. Whatever comes of it: the server finds out by itself some time.
   * @param {string} uploadId
   */
  async abort(uploadId) {
    try {
      await this.#call('POST', `/v1/uploads/${uploadId}/abort`, undefined, {}, new AbortController().signal);
    } catch (error) {
      if (!(error instanceof UploadFailed)) throw error;
    }
  }

  /**
   * @param {(headers: Record<string, string>) => Promise<Answer>} request
   * @returns {Promise<any>} what was answered; rejects with UploadFailed
   */
  async withToken(request) {
    let answer = await request(await this.#authorization(false));
    if (answer.status === 401) answer = await request(await this.#authorization(true));
    if (answer.status < 200 || answer.status >= 300) throw refusal(answer);
    try {
      return answer.text && JSON.parse(answer.text);
    } catch (cause) {
      throw new UploadFailed('not_recado', 'What answers there does not speak like Recado.', { cause });
    }
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {string} [body]
   * @param {Record<string, string>} [more]
   * @param {AbortSignal} [signal]
   */
  #call(method, path, body, more, signal = this.#settings.signal) {
    return this.withToken(async (headers) => {
      const all = { ...headers, ...more, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) };
      return this.#fetch(path, { method, body, headers: all, cache: 'no-store' }, signal);
    });
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #fetch(path, request, signal) {
    const { clock, connectTimeoutMs, fetch } = this.#settings;
    const ending = new AbortController();
    const giveUp = () => ending.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', giveUp);
    const timer = clock.setTimeout(() => ending.abort(new Error('it takes too long')), connectTimeoutMs);
    try {
      const answer = await fetch(this.url(path), { ...request, signal: ending.signal });
      return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('Retry-After') };
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(this.url(path), error);
    } finally {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  /**
   * @param {boolean} refresh
   * @returns {Promise<Record<string, string>>}
   */
  async #authorization(refresh) {
    try {
      return { Authorization: `Bearer ${await bringToken(this.#settings.getToken, refresh, this.#settings)}` };
    } catch (/** @type {any} */ cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new UploadFailed('token_failed', detail, { mayPass: cause?.terminal !== true, cause });
    }
  }
}

/** Also where the page is not a secure context, which has no randomUUID(). */
export function randomKey() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
