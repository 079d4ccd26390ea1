/** The file of a message: a picture, something to listen to, or a card to download it by. */

import { asProblem } from "./api.js";
import { config, say } from "./config.js";
import { element, icon, write } from "./dom.js";
import { follow } from "./file_links.js";
import { knownKind, nameNode, shownName, sizeInWords } from "./file_words.js";
import { Picture } from "./picture.js";
import { Player } from "./player.js";

/** @typedef {import("./file_links.js").FileLinks} FileLinks */
/** @typedef {import("./file_links.js").Use} Use */
/** @typedef {import("./types.js").Media} Media */
/** @typedef {import("./types.js").Message} Message */

// Fetching what a person sent is given up long before.
const AWAITED_MS = 24 * 60 * 60_000;

/** @param {string} code  Why what a person sent could not be fetched. */
export function whyNotFetched(code) {
  const known = new Map([
    ["too_large", "fetch_too_large"],
    ["file_too_large", "fetch_too_large"],
    ["gone", "fetch_gone"],
    ["storage_quota_reached", "fetch_quota"],
    ["not_handed_out", "fetch_not_handed_out"],
  ]);
  return say(known.get(code) ?? "fetch_failed");
}

export class Attachment {
  node = element("div", { class: "file" });
  #problem = element("p", { class: "problem", role: "alert" });
  #links;
  #shown = "";

  /**
   * @param {Message} message
   * @param {FileLinks} links
   */
  constructor(message, links) {
    this.#links = links;
    this.show(message);
  }

  /** What a person sent may come later than what they wrote. @param {Message} message */
  show(message) {
    const { media } = message.content;
    const shown = JSON.stringify(media ?? null);
    if (!media || shown === this.#shown) return;
    this.#shown = shown;
    write(this.#problem, "");
    this.node.replaceChildren(...this.#parts(media, message), this.#problem);
  }

  /**
   * @param {Media} media
   * @param {Message} message
   * @returns {HTMLElement[]}
   */
  #parts(media, message) {
    const { file_id: fileId, error } = media;
    if (!fileId) {
      if (error) return [card(media, element("span", { class: "file-why", text: whyNotFetched(error) }))];
      if (isAwaited(message)) return [card(media, element("span", { class: "file-more", text: say("being_fetched") }))];
      return [media.url.startsWith("https://") ? linkTo(media) : card(media)];
    }
    if (media.kind === "image" && isPictured(media)) return [this.#picture(media, fileId)];
    if (media.kind === "audio") return [this.#download(media, fileId), this.#player(media, fileId)];
    return [this.#download(media, fileId)];
  }

  /**
   * @param {Media} media
   * @param {string} fileId
   */
  #picture(media, fileId) {
    const picture = new Picture(nameOf(media), this.#links, fileId);
    picture.onOpen = () => void this.#lead(fileId, "inline");
    picture.onNone = () => picture.node.replaceWith(this.#download(media, fileId));
    return picture.node;
  }

  /**
   * @param {Media} media
   * @param {string} fileId
   */
  #player(media, fileId) {
    const player = new Player(nameOf(media), this.#links, fileId);
    player.onNone = () => player.node.remove();
    return player.node;
  }

  /**
   * @param {Media} media
   * @param {string} fileId
   */
  #download(media, fileId) {
    const name = nameOf(media);
    const button = element("button", { type: "button", class: "icon-button file-download", title: say("download") });
    button.append(icon("download"), element("span", { class: "unseen", text: say("download_named", { name }) }));
    button.addEventListener("click", () => void this.#lead(fileId, "download"));
    const size = media.size === undefined ? "" : sizeInWords(media.size);
    return card(media, element("span", { class: "file-more", text: size }), button);
  }

  /**
   * @param {string} fileId
   * @param {Use} use
   */
  async #lead(fileId, use) {
    write(this.#problem, "");
    try {
      follow(await this.#links.to(fileId, use), use);
    } catch (error) {
      write(this.#problem, asProblem(error).message);
    }
  }
}

/** @param {Message} message */
function isAwaited({ direction, created_at: at }) {
  return direction === "inbound" && Date.now() - Date.parse(at) < AWAITED_MS;
}

/** Of others no thumbnail is made. @param {Media} media */
function isPictured({ media_type: type, size = 0 }) {
  return config.thumbnails.types.includes(type) && size <= config.thumbnails.most_bytes;
}

/** @param {Media} media */
function nameOf(media) {
  return shownName(media.file_name, knownKind(media.kind));
}

/**
 * @param {Media} media
 * @param {HTMLElement} [more]  Below the name.
 * @param {HTMLElement} [button]
 */
function card(media, more, button) {
  const about = element("span", { class: "file-about" }, nameNode(nameOf(media)), more);
  return element("div", { class: "file-card" }, icon(`media-${knownKind(media.kind)}`), about, button);
}

/**
 * Named, and opened only by somebody's own click: it lies on a server of strangers.
 * @param {Media} media
 */
function linkTo(media) {
  return element(
    "a",
    { class: "attachment", href: media.url, target: "_blank", rel: "noopener noreferrer nofollow" },
    icon(`media-${knownKind(media.kind)}`),
    element("span", { class: "name", text: nameOf(media) }),
    element("span", { class: "unseen", text: say("opens_elsewhere") }),
  );
}
