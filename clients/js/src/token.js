/** @import {RequiredOptions, Settings} from './types.js' */

/** More does not fit into the frame that it travels in. */
const LONGEST_TOKEN = 15_000;

/**
 * Ask for a token. Rejects where none comes, or none comes in time.
 * @param {RequiredOptions['getToken']} getToken
 * @param {boolean} refresh
 * @param {Pick<Settings, 'clock' | 'connectTimeoutMs'>} settings
 * @returns {Promise<string>}
 */
export function bringToken(getToken, refresh, { clock, connectTimeoutMs }) {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error('getToken took too long')), connectTimeoutMs);
    Promise.resolve({ refresh })
      .then(getToken)
      .then((token) => {
        if (typeof token === 'string' && token && token.length <= LONGEST_TOKEN) return token;
        throw new TypeError('getToken brought no token');
      })
      .finally(() => clock.clearTimeout(timer))
      .then(resolve, reject);
  });
}
