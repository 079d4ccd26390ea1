/**
 * Says to whoever listens what has happened.
 * @template {object} Names  By name, what comes with it.
 */
export class Signals {
  /** @type {Map<keyof Names, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Names} N
   * @param {N} name
   * @param {(detail: Names[N]) => void} listener
   */
  on(name, listener) {
    const known = this.#listeners.get(name) ?? new Set();
    known.add(listener);
    this.#listeners.set(name, known);
  }

  /**
   * @template {keyof Names} N
   * @param {N} name
   * @param {Names[N]} detail
   */
  emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) listener(detail);
  }
}
