/** Says to those who cannot see the page what changed: the last thing, and not more often than one can listen. */

import { byId, paced } from "./dom.js";

const PACE_MS = 2500;
const place = byId("announcements");
let waiting = "";

const speak = paced(() => {
  place.textContent = "";
  // Of the same words twice, only a change between them is noticed.
  requestAnimationFrame(() => {
    place.textContent = waiting;
  });
}, PACE_MS);

/** @param {string} text */
export function announce(text) {
  waiting = text;
  speak();
}
