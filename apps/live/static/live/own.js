/** What somebody sent from here themselves, and what becomes of it. */

import { readable } from "./address.js";
import { announce } from "./announce.js";
import { config, say } from "./config.js";

/** @typedef {import("./new_message.js").NewMessage} NewMessage */
/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Message} Message */

const MOST_OWN = 50;
const WORTH_SAYING = new Set(["delivered", "read", "failed", "expired"]);

/**
 * To those who listen: what became of what they sent themselves. The rest would never be silent.
 * @param {Store} store
 * @param {Outbox} outbox
 * @param {NewMessage} newMessage
 */
export function tellOfOwn(store, outbox, newMessage) {
  /** @type {Map<string, string>} */
  const own = new Map();
  /** @param {Message} message */
  const remember = (message) => {
    own.set(message.id, message.to);
    if (own.size > MOST_OWN) own.delete(/** @type {string} */ (own.keys().next().value));
    announce(say("accepted_for", { who: readable(message.to) }));
  };
  outbox.onAccepted = newMessage.onAccepted = remember;
  store.on("heard", ({ change }) => {
    const who = own.get(change.message_id);
    if (!who || !WORTH_SAYING.has(change.kind)) return;
    announce(say("became", { who: readable(who), status: config.statuses[change.status] }));
  });
}
