/** Links to files, straight to where they lie. They are good for minutes, so each is asked for when it is needed. */

/** @typedef {import("./api.js").Api} Api */
/** @typedef {"download" | "inline" | "thumbnail"} Use */

const QUERIES = { download: "", inline: "?disposition=inline", thumbnail: "?variant=thumbnail" };
const MOST_KEPT = 200;
// So long before its end a link is no longer handed out.
const MARGIN_MS = 60_000;
// The clock of this device may be slow: no link is kept for longer, whatever it says.
const LONGEST_MS = 14 * 60_000;

export class FileLinks {
  #api;
  /** By its path. A link that was asked for and is not there yet has no end. */
  /** @type {Map<string, {url: Promise<string>, until: number}>} */
  #kept = new Map();

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * @param {string} fileId
   * @param {Use} use
   * @returns {Promise<string>}
   */
  to(fileId, use) {
    const path = `/v1/files/${fileId}/presigned${QUERIES[use]}`;
    const kept = this.#kept.get(path);
    if (kept && kept.until > Date.now()) return kept.url;
    const url = this.#ask(path);
    this.#kept.delete(path);
    this.#kept.set(path, { url, until: Infinity });
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(/** @type {string} */ (this.#kept.keys().next().value));
    return url;
  }

  /** It did not lead where it should. @param {string} fileId @param {Use} use */
  forget(fileId, use) {
    this.#kept.delete(`/v1/files/${fileId}/presigned${QUERIES[use]}`);
  }

  /** @param {string} path */
  async #ask(path) {
    try {
      /** @type {{url: string, expires_at: string}} */
      const link = await this.#api.get(path);
      const kept = this.#kept.get(path);
      if (kept) kept.until = Math.min(Date.parse(link.expires_at) - MARGIN_MS, Date.now() + LONGEST_MS);
      return link.url;
    } catch (error) {
      this.#kept.delete(path);
      throw error;
    }
  }
}

/**
 * Follows a link without leaving this page.
 * @param {string} url
 * @param {Use} use
 */
export function follow(url, use) {
  const anchor = document.createElement("a");
  anchor.href = url;
  if (use === "download") anchor.download = "";
  else {
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer";
  }
  anchor.click();
}
