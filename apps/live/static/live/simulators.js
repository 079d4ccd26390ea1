/** The control API of the simulated providers. It listens on the visitor's own machine, in the demo only. */

import { Problem } from "./api.js";
import { config, say } from "./config.js";

/**
 * @param {string} method
 * @param {string} what
 * @param {object} [body]
 */
export async function control(method, what, body) {
  /** @type {RequestInit} */
  const request = { method, signal: AbortSignal.timeout(5000), credentials: "omit" };
  if (body) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(`${config.urls.simulators}/control/${what}`, request);
  } catch {
    throw new Problem(0, "unreachable", say("simulators_unreachable"));
  }
  const read = await answer.json();
  if (!answer.ok) throw new Problem(answer.status, "refused", read.error);
  return read;
}
