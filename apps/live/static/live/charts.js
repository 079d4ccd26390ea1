/** What happens, in numbers: how many messages a second, how long they take, and where they stand. */

import { config, locale, say } from "./config.js";
import { byId, drawing, element, icon, set, write } from "./dom.js";
import { Durations, Rate } from "./series.js";
import { ICONS, STATUSES } from "./statuses.js";
import { clockTime, duration, exactTime } from "./time.js";

/** @typedef {import("./types.js").Heard} Heard */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Status} Status */

const SECOND = 1000;
const RATE_SECONDS = 120;
const LATENCY_BOXES = 30;
const LATENCY_SECONDS = 10;
const NOW_SECONDS = 10;
const NOW_BOXES = 6;
// The drawing's own units; it is stretched to its place.
const WIDTH = 300;
const HEIGHT = 72;
// What is told so soon has not waited for a connection.
const LIVE_MS = 5000;
// Clocks that differ by less need no correction.
const MOST_SKEW_MS = 2000;

export class Charts {
  #accepted = new Rate(RATE_SECONDS);
  #delivered = new Rate(RATE_SECONDS);
  #latency = new Durations(LATENCY_BOXES, LATENCY_SECONDS);
  #rate = new Chart(byId("rate-chart"));
  #times = new Chart(byId("latency-chart"));
  #counts = byId("status-counts");
  /** @type {Map<Status, {bar: HTMLElement, number: HTMLElement}>} */
  #bars = new Map();
  #store;
  /** By how many milliseconds the server's clock is behind, at most. */
  #behind = Infinity;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    store.on("heard", (heard) => this.#hear(heard));
    this.#rate.onPoint = (share) => this.#pointAtRate(share);
    this.#times.onPoint = (share) => this.#pointAtLatency(share);
    this.#makeBars();
    setInterval(() => document.hidden || this.show(), SECOND);
    document.addEventListener("visibilitychange", () => document.hidden || this.show());
    this.show();
  }

  /** @param {Heard} heard */
  #hear({ change, track }) {
    const now = Date.now();
    const at = Math.min(now, this.#onThisClock(change, now));
    if (change.kind === "queued") this.#accepted.add(at);
    if (change.kind !== "delivered") return;
    this.#delivered.add(at);
    if (!track.accepted) return;
    // Some providers tell whole seconds only; what did not wait for a connection is timed here.
    const isLive = now - at < LIVE_MS;
    this.#latency.add(at, Math.max(0, isLive ? now - track.accepted.heard : at - track.accepted.at));
  }

  /**
   * Clocks differ: what arrives soonest tells by how much.
   * @param {import("./types.js").Change} change
   * @param {number} now
   */
  #onThisClock(change, now) {
    const told = Date.parse(change.at);
    if (change.kind === "queued") this.#behind = Math.min(this.#behind, now - told);
    return told + (Math.abs(this.#behind) > MOST_SKEW_MS && Number.isFinite(this.#behind) ? this.#behind : 0);
  }

  show() {
    const now = Date.now();
    for (const series of [this.#accepted, this.#delivered]) series.advance(Math.floor(now / SECOND));
    this.#showRate();
    this.#showLatency(now);
    this.#showCounts();
  }

  #showRate() {
    // The second that is not over yet would always look like a fall.
    const accepted = [...this.#accepted.boxes].slice(0, -1);
    const delivered = [...this.#delivered.boxes].slice(0, -1);
    const top = this.#rate.draw([
      { name: "accepted", values: accepted, isArea: true },
      { name: "delivered", values: delivered },
    ]);
    const [in_, out] = [this.#accepted.recent(NOW_SECONDS), this.#delivered.recent(NOW_SECONDS)];
    write(byId("rate-accepted"), number(in_));
    write(byId("rate-delivered"), number(out));
    write(byId("rate-top"), number(top));
    set(byId("rate-chart"), "aria-label", say("rate_in_words", { accepted: number(in_), delivered: number(out) }));
  }

  /** @param {number} now */
  #showLatency(now) {
    const lines = { p50: this.#latency.line(now, 0.5), p95: this.#latency.line(now, 0.95) };
    const top = this.#times.draw([
      { name: "p95", values: lines.p95 },
      { name: "p50", values: lines.p50 },
    ]);
    const [half, most] = [this.#latency.recent(now, 0.5, NOW_BOXES), this.#latency.recent(now, 0.95, NOW_BOXES)];
    write(byId("latency-p50"), half === null ? "–" : duration(half));
    write(byId("latency-p95"), most === null ? "–" : duration(most));
    write(byId("latency-top"), top ? duration(top) : "");
    const words =
      half === null || most === null
        ? say("no_latency_yet")
        : say("latency_in_words", { half: duration(half), most: duration(most) });
    set(byId("latency-chart"), "aria-label", words);
  }

  #makeBars() {
    for (const status of STATUSES) {
      const bar = element("span", { class: "bar-fill" });
      const count = element("span", { class: "bar-number", text: "0" });
      const mark = element("span", { class: "tick", "data-status": status });
      mark.append(icon(ICONS[status]));
      const name = element("span", { class: "bar-name" }, mark, config.statuses[status]);
      this.#counts.append(
        element("li", { "data-status": status }, name, element("span", { class: "bar" }, bar), count),
      );
      this.#bars.set(status, { bar, number: count });
    }
  }

  #showCounts() {
    const { counts, size } = this.#store.tracked;
    const top = Math.max(1, ...counts.values());
    for (const [status, { bar, number: place }] of this.#bars) {
      const count = counts.get(status) ?? 0;
      bar.style.inlineSize = `${(count / top) * 100}%`;
      write(place, count.toLocaleString(locale));
    }
    write(byId("counts-of"), say("counts_of", { count: size.toLocaleString(locale) }));
  }

  /** @param {number} share */
  #pointAtRate(share) {
    const values = this.#accepted.boxes;
    const n = Math.min(values.length - 2, Math.round(share * (values.length - 2)));
    const at = exactTime(new Date((this.#accepted.end - (values.length - 1 - n)) * SECOND));
    return say("rate_at", { time: at, accepted: values[n] ?? 0, delivered: this.#delivered.boxes[n] ?? 0 });
  }

  /** @param {number} share */
  #pointAtLatency(share) {
    const now = Date.now();
    const n = Math.round(share * (LATENCY_BOXES - 1));
    const [half, most] = [0.5, 0.95].map((each) => this.#latency.line(now, each)[n] ?? null);
    const box = Math.floor(now / SECOND / LATENCY_SECONDS) - LATENCY_BOXES + 1 + n;
    const time = clockTime(new Date(box * LATENCY_SECONDS * SECOND));
    if (half === null || half === undefined || most === null || most === undefined) return say("nothing_at", { time });
    return say("latency_at", { time, half: duration(half), most: duration(most) });
  }
}

/** @typedef {{name: string, values: (number | null)[], isArea?: boolean}} Series */

class Chart {
  #place;
  #readout;
  #cursor = drawing("line", { class: "cursor", y1: 0, y2: HEIGHT });
  /** @type {Map<string, Element>} */
  #paths = new Map();
  #svg;
  #share = -1;
  /** @type {(share: number) => string} */
  onPoint = () => "";

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
    const grid = [0.25, 0.5, 0.75].map((share) =>
      drawing("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share }),
    );
    const base = drawing("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT });
    const frame = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    this.#svg = drawing("svg", frame, ...grid, base, this.#cursor);
    this.#readout = element("span", { class: "readout", hidden: true });
    place.append(this.#svg, this.#readout);
    place.addEventListener("pointermove", (event) => this.#point(event));
    place.addEventListener("pointerleave", () => this.#leave());
    this.#leave();
  }

  /**
   * @param {Series[]} series
   * @returns {number} what its upper edge stands for.
   */
  draw(series) {
    const top = roundTop(Math.max(0, ...series.flatMap((each) => each.values.filter((value) => value !== null))));
    for (const { name, values, isArea } of series) {
      let path = this.#paths.get(name);
      if (!path) {
        path = drawing("path", { class: `series ${name}${isArea ? " area" : ""}` });
        this.#svg.insertBefore(path, this.#cursor);
        this.#paths.set(name, path);
      }
      set(path, "d", isArea ? areaOf(values, top) : lineOf(values, top));
    }
    if (this.#share >= 0) write(this.#readout, this.onPoint(this.#share));
    return top;
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const { left, width } = this.#place.getBoundingClientRect();
    this.#share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    for (const name of ["x1", "x2"]) this.#cursor.setAttribute(name, String(this.#share * WIDTH));
    this.#cursor.classList.remove("is-away");
    this.#readout.hidden = false;
    write(this.#readout, this.onPoint(this.#share));
  }

  #leave() {
    this.#share = -1;
    this.#cursor.classList.add("is-away");
    this.#readout.hidden = true;
  }
}

/**
 * @param {(number | null)[]} values
 * @param {number} top
 */
function lineOf(values, top) {
  let path = "";
  let isOn = false;
  values.forEach((value, n) => {
    if (value === null) isOn = false;
    else {
      const x = (n / (values.length - 1)) * WIDTH;
      const point = `${x.toFixed(1)},${yOf(value, top)}`;
      // One value with none beside it is a dot, which a line of no length with round ends is.
      path += isOn ? `L${point}` : `M${point}h.01`;
      isOn = true;
    }
  });
  return path;
}

/**
 * @param {(number | null)[]} values
 * @param {number} top
 */
function areaOf(values, top) {
  return `${lineOf(values, top)}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`;
}

/**
 * @param {number} value
 * @param {number} top
 */
function yOf(value, top) {
  return (HEIGHT - (top ? value / top : 0) * (HEIGHT - 2) - 0.5).toFixed(1);
}

/** The next of 1, 2, 5, 10, 20, …: so the scale does not move with every value. @param {number} value */
function roundTop(value) {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString(locale, { maximumFractionDigits: value < 10 ? 1 : 0 });
}
