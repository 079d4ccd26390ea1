/** Moments in words, in the person's language and time zone. */

import { locale, say } from "./config.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const exactClock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const longDate = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "2-digit" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "medium" });
const days = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** @param {string | Date} at */
export function clockTime(at) {
  return clock.format(new Date(at));
}

/** @param {string | Date} at */
export function exactTime(at) {
  return exactClock.format(new Date(at));
}

/** @param {string | Date} at */
export function fullTime(at) {
  return full.format(new Date(at));
}

/** @param {string | Date} at */
export function dayKey(at) {
  return new Date(at).toDateString();
}

/** @param {string | Date} at */
export function dayName(at) {
  const ago = daysAgo(at);
  if (ago === 0 || ago === 1) return capital(days.format(-ago, "day"));
  return capital((ago < 300 ? weekday : longDate).format(new Date(at)));
}

/** How long ago, as short as a list needs it. @param {string} at */
export function shortly(at) {
  const ago = Date.now() - Date.parse(at);
  if (ago < MINUTE) return say("now");
  if (ago < 60 * MINUTE) return say("minutes_ago", { count: Math.floor(ago / MINUTE) });
  const before = daysAgo(at);
  if (before === 0) return clockTime(at);
  if (before === 1) return capital(days.format(-1, "day"));
  return shortDate.format(new Date(at));
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  const digits = seconds < 9.95 ? 1 : 0;
  if (milliseconds < 950) return `${Math.round(milliseconds)} ms`;
  return `${seconds.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} s`;
}

/** @param {string | Date} at */
function daysAgo(at) {
  const today = new Date().setHours(0, 0, 0, 0);
  return Math.round((today - new Date(at).setHours(0, 0, 0, 0)) / DAY);
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

/** How long a time of day is at most, for bubbles to leave room for it. */
export const clockLength = Math.max(...[0, 11, 22].map((hour) => clockTime(new Date(2000, 0, 1, hour, 58)).length));
