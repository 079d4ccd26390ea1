/** One message, as a bubble. */

import { asProblem } from "./api.js";
import { Attachment } from "./attachment.js";
import { say } from "./config.js";
import { partsOf } from "./content.js";
import { element, icon, set, write } from "./dom.js";
import { inWords } from "./errors.js";
import { Story } from "./story.js";
import { Tick } from "./tick.js";
import { clockTime, fullTime } from "./time.js";
import { UploadCard } from "./upload_card.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Pending} Pending */

/**
 * What a bubble may ask for.
 * @typedef {object} Actions
 * @property {import("./api.js").Api} api
 * @property {import("./file_links.js").FileLinks} links
 * @property {boolean} mayWrite
 * @property {(accountId: string) => string} accountName
 * @property {(message: Message, path: string) => Promise<void>} change  Posts there, and reads the message again.
 * @property {(pending: Pending) => void} retry
 * @property {(pending: Pending) => void} discard
 */

export class Bubble {
  /** @type {Message} */
  #message;
  #actions;
  #tick;
  #fate;
  /** @type {Attachment | null} */
  #attachment;
  #failure = element("div", { class: "failure", hidden: true });
  #later = element("p", { class: "later", hidden: true });
  /** @type {Story | null} */
  #story = null;

  /**
   * @param {Message} message
   * @param {Actions} actions
   */
  constructor(message, actions) {
    this.#message = message;
    this.#actions = actions;
    this.#tick = new Tick(message.status);
    const at = message.created_at;
    this.#fate = element(
      "button",
      { type: "button", class: "fate", "aria-expanded": "false", "aria-controls": `story-${message.id}` },
      element("time", { datetime: at, title: fullTime(at), text: clockTime(at) }),
      this.#tick.node,
      element("span", { class: "unseen", text: say("show_story") }),
    );
    this.#fate.addEventListener("click", () => this.#toggle());
    const said = element("p", { class: "said", dir: "auto", text: message.text });
    const { before, after } = partsOf(message);
    this.#attachment = message.content.media ? new Attachment(message, actions.links) : null;
    this.node = element(
      "li",
      { class: "message", "data-id": message.id, "data-direction": message.direction },
      element("div", { class: "bubble" }, ...before, this.#attachment?.node, said, ...after, this.#fate),
      this.#later,
      this.#failure,
    );
    this.#showState();
  }

  /** @param {Message} message */
  show(message) {
    this.#message = message;
    this.#attachment?.show(message);
    this.#showState();
    this.#story?.show(message);
  }

  #showState() {
    const { status, error, scheduled_at: later } = this.#message;
    this.#tick.show(status);
    this.#later.hidden = status !== "queued" || !later || Date.parse(later) <= Date.now();
    write(this.#later, later ? say("leaves_at", { time: fullTime(later) }) : "");
    set(this.node, "data-status", status);
    const isOver = status === "failed" || status === "expired" || status === "cancelled";
    this.#failure.hidden = !isOver;
    if (!isOver) this.#failure.replaceChildren();
    else {
      const why = error ? inWords(error.class, error.code, error.detail) : say(`ended_${status}`);
      this.#failure.replaceChildren(element("p", { class: "why", text: why }));
      if (status === "failed" && this.#actions.mayWrite) this.#failure.append(this.#tryAgain());
    }
  }

  /** A message that failed is a dead letter with the same id. */
  #tryAgain() {
    const button = element("button", { type: "button", class: "button small", text: say("try_again") });
    const problem = element("span", { class: "problem", role: "alert" });
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await this.#actions.change(this.#message, `/v1/dead-letters/${this.#message.id}/replay`);
      } catch (error) {
        problem.textContent = asProblem(error).message;
        button.disabled = false;
      }
    });
    const row = element("div", { class: "row" }, button, problem);
    return row;
  }

  #toggle() {
    if (this.#story) {
      this.#story.node.remove();
      this.#story = null;
    } else {
      this.#story = new Story(this.#message, this.#actions, `story-${this.#message.id}`);
      this.node.append(this.#story.node);
      this.#story.node.scrollIntoView({ block: "nearest" });
    }
    set(this.#fate, "aria-expanded", String(this.#story !== null));
  }
}

/** A message that is on its way to the server, or could not be handed over. */
export class PendingBubble {
  #tick = element("span", { class: "tick", "data-status": "sending", title: say("handing_over") });
  #failure = element("div", { class: "failure", hidden: true });
  #why = element("p", { class: "why", role: "alert" });
  /** @type {UploadCard | null} */
  #card;

  /**
   * @param {Pending} pending
   * @param {Actions} actions
   */
  constructor(pending, actions) {
    this.#tick.append(icon("sending"), element("span", { class: "unseen", text: say("handing_over") }));
    const retry = element("button", { type: "button", class: "button small", text: say("send_again") });
    retry.addEventListener("click", () => actions.retry(pending));
    const discard = element("button", { type: "button", class: "button small quiet", text: say("discard") });
    discard.addEventListener("click", () => actions.discard(pending));
    this.#failure.append(this.#why, element("div", { class: "row" }, retry, discard));
    const { upload } = pending;
    this.#card = upload && new UploadCard(upload);
    if (upload && this.#card) {
      this.#card.onCancel = () => actions.discard(pending);
      upload.onChange = () => this.#card?.show();
    }
    this.node = element(
      "li",
      { class: "message pending" },
      element(
        "div",
        { class: "bubble" },
        this.#card && element("div", { class: "file" }, this.#card.node),
        element("p", { class: "said", dir: "auto", text: pending.text || inShort(pending.parts) }),
        element("span", { class: "fate" }, element("time", { text: clockTime(pending.at) }), this.#tick),
      ),
      this.#failure,
    );
    this.show(pending);
  }

  /** @param {Pending} pending */
  show({ problem }) {
    set(this.node, "data-status", problem ? "failed" : "sending");
    this.#tick.hidden = problem !== null;
    this.#failure.hidden = problem === null;
    write(this.#why, problem ? say("not_handed_over", { why: problem.message }) : "");
  }
}

/** What is on its way, where it is no text. @param {import("./types.js").WantedParts} parts */
function inShort({ media, template }) {
  return template?.name ?? (media ? media.file_name || media.url : "");
}
