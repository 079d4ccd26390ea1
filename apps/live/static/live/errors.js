/** Why a message was not sent, in words. */

import { config, say } from "./config.js";

/**
 * @param {string} kind  The class of the error.
 * @param {string} code
 * @param {string} detail  The provider's words.
 */
export function inWords(kind, code, detail) {
  const known = `error_${kind}` in config.texts ? say(`error_${kind}`) : kind;
  if (detail) return say("error_with_answer", { error: known, answer: detail, code: code && ` (${code})` });
  return code ? `${known} (${code})` : known;
}
