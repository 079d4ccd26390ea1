/** Files in words: what they are called, how large they are, what they are. */

import { locale, say } from "./config.js";
import { element } from "./dom.js";

const STEP = 1024;
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const KINDS = new Set(["image", "audio", "video", "document"]);
// Of a name that is too long for its place, so much of its end stays.
const END = 12;
// What turns the direction of writing or cannot be seen: a name must look like what it is.
const DECEIVING = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

const letters = new Intl.Segmenter(locale);

/** @param {number} bytes */
export function sizeInWords(bytes) {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log(bytes) / Math.log(STEP)) : 0);
  const amount = bytes / STEP ** power;
  const digits = power > 0 && amount < 9.95 ? 1 : 0;
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: UNITS[power],
    unitDisplay: power ? "short" : "long",
    maximumFractionDigits: digits,
  }).format(amount);
}

/**
 * One of those that have a sign and a word.
 * @param {string} kind
 */
export function knownKind(kind) {
  return KINDS.has(kind) ? kind : "document";
}

/**
 * @param {string} name  As somebody gave it.
 * @param {string} kind
 */
export function shownName(name, kind) {
  return name.replace(DECEIVING, "_").trim() || say(`media_${kind}`);
}

/**
 * Shortened in its middle where there is no room: how a name ends says what a file is.
 * @param {string} name
 */
export function nameNode(name) {
  const all = [...letters.segment(name)].map((each) => each.segment);
  return element(
    "span",
    { class: "name", dir: "auto", title: name },
    element("span", { class: "name-begin", text: all.slice(0, -END).join("") }),
    element("span", { class: "name-end", text: all.slice(-END).join("") }),
  );
}
