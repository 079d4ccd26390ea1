/** Numbers over time, for the charts: a fixed number of boxes, whatever happens. */

/** How many in each second. */
export class Rate {
  /** @param {number} seconds */
  constructor(seconds) {
    this.seconds = seconds;
    this.boxes = new Uint32Array(seconds);
    this.end = Math.floor(Date.now() / 1000);
  }

  /** @param {number} at  In milliseconds. */
  add(at) {
    const second = Math.floor(at / 1000);
    this.advance(Math.max(second, this.end));
    const back = this.end - second;
    if (back < 0 || back >= this.seconds) return;
    const place = this.seconds - 1 - back;
    this.boxes[place] = (this.boxes[place] ?? 0) + 1;
  }

  /** @param {number} second */
  advance(second) {
    const steps = Math.min(Math.max(second - this.end, 0), this.seconds);
    if (!steps) return;
    this.boxes.copyWithin(0, steps);
    this.boxes.fill(0, this.seconds - steps);
    this.end = second;
  }

  /** A second's worth, over the last few whole ones. @param {number} seconds */
  recent(seconds) {
    const last = this.boxes.slice(-seconds - 1, -1);
    return last.reduce((sum, each) => sum + each, 0) / seconds;
  }
}

const MOST_IN_BOX = 400;

/** How long something took, by when it ended. */
export class Durations {
  /**
   * @param {number} boxes
   * @param {number} seconds  In each box.
   */
  constructor(boxes, seconds) {
    this.count = boxes;
    this.seconds = seconds;
    /** @type {{number: number, values: number[], seen: number}[]} */
    this.boxes = [];
  }

  /**
   * @param {number} at
   * @param {number} took
   */
  add(at, took) {
    const number = Math.floor(at / 1000 / this.seconds);
    let box = this.boxes.findLast((each) => each.number === number);
    if (!box) {
      box = { number, values: [], seen: 0 };
      this.boxes = [...this.boxes, box].sort((one, other) => one.number - other.number).slice(-this.count);
    }
    box.seen += 1;
    // Of very many, as good a sample as the first ones would be.
    if (box.values.length < MOST_IN_BOX) box.values.push(took);
    else {
      const place = Math.floor(Math.random() * box.seen);
      if (place < MOST_IN_BOX) box.values[place] = took;
    }
  }

  /**
   * One value for each box up to now, null where nothing ended.
   * @param {number} now
   * @param {number} share
   * @returns {(number | null)[]}
   */
  line(now, share) {
    const last = Math.floor(now / 1000 / this.seconds);
    const known = new Map(this.boxes.map((each) => [each.number, each.values]));
    return Array.from({ length: this.count }, (_each, n) => {
      const values = known.get(last - this.count + 1 + n);
      return values?.length ? percentile(values, share) : null;
    });
  }

  /**
   * Over the last boxes together.
   * @param {number} now
   * @param {number} share
   * @param {number} boxes
   */
  recent(now, share, boxes) {
    const last = Math.floor(now / 1000 / this.seconds);
    const values = this.boxes.filter((each) => each.number > last - boxes).flatMap((each) => each.values);
    return values.length ? percentile(values, share) : null;
  }
}

/**
 * @param {number[]} values
 * @param {number} share
 */
export function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
