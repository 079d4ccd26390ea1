/** Statuses only move forward. Which may follow which is the server's table, so that there is one. */

import { config } from "./config.js";

/** @typedef {import("./types.js").Status} Status */

/** @type {Status[]} */
export const STATUSES = ["queued", "sending", "sent", "delivered", "read", "failed", "cancelled", "expired", "received"];

/** The icon of each, in live/icons.html. */
export const ICONS = {
  queued: "clock",
  sending: "sending",
  sent: "check",
  delivered: "checks",
  read: "checks",
  failed: "alert",
  cancelled: "ban",
  expired: "hourglass",
  received: "reply",
};

/**
 * @param {Status} next
 * @param {Status} current
 */
export function mayFollow(next, current) {
  return config.may_follow[next]?.includes(current) ?? false;
}

/**
 * Where a message stands after an event. Only a replay leads back.
 * @param {Status} current
 * @param {Status} told
 * @param {string} kind
 */
export function afterEvent(current, told, kind) {
  return told !== current && (kind === "replayed" || mayFollow(told, current)) ? told : current;
}

/**
 * Where a message stands after it was read over REST, which may have taken longer than an event.
 * @param {Status} current
 * @param {Status} read
 * @param {boolean} isFresh  It was asked for after the last event came.
 */
export function afterSnapshot(current, read, isFresh) {
  if (!mayFollow(read, current)) return current;
  // Some may follow each other either way: a message that failed was sent after all, or is tried again.
  return isFresh || !mayFollow(current, read) ? read : current;
}
