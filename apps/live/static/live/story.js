/** What is behind a bubble: everything that is known of a message, and what happened to it. */

import { asProblem } from "./api.js";
import { whyNotFetched } from "./attachment.js";
import { channelName, config, say } from "./config.js";
import { element, paced } from "./dom.js";
import { inWords } from "./errors.js";
import { duration, exactTime, fullTime } from "./time.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").StoryEvent} StoryEvent */
/** @typedef {import("./bubble.js").Actions} Actions */

const MOST_EVENTS = 50;
const MOST_LABELS = 20;
const PACE_MS = 800;

export class Story {
  /** @type {Message} */
  #message;
  #actions;
  #events = element("ol", { class: "story-events" });
  #facts = element("dl", { class: "facts" });
  #buttons = element("div", { class: "row" });
  #problem = element("p", { class: "problem", role: "alert" });
  #read;
  /** The status that all of it is about. */
  #shown = "";

  /**
   * @param {Message} message
   * @param {Actions} actions
   * @param {string} id
   */
  constructor(message, actions, id) {
    this.#message = message;
    this.#actions = actions;
    this.node = element("div", { class: "story", id }, this.#events, this.#facts, this.#buttons, this.#problem);
    this.#events.append(element("li", { class: "quiet", text: say("loading") }));
    this.#read = paced(() => void this.#readEvents(), PACE_MS);
    this.show(message);
  }

  /** @param {Message} message */
  show(message) {
    this.#message = message;
    if (this.#shown === message.status) return;
    this.#shown = message.status;
    this.#showFacts();
    this.#showButtons();
    this.#read();
  }

  async #readEvents() {
    if (!this.node.isConnected) return;
    try {
      const page = await this.#actions.api.get(`/v1/messages/${this.#message.id}/events?limit=${MOST_EVENTS}`);
      /** @type {StoryEvent[]} */
      const events = page.data;
      this.#events.replaceChildren(...events.reverse().map((event) => line(event, this.#message.id)));
      this.#problem.textContent = "";
      this.node.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.#problem.textContent = asProblem(error).message;
    }
  }

  #showFacts() {
    const message = this.#message;
    /** @type {[string, string][]} */
    const facts = [
      [say(message.direction === "inbound" ? "fact_written" : "fact_accepted"), fullTime(message.created_at)],
      [say("fact_channel"), `${channelName(message.channel)} · ${this.#actions.accountName(message.account_id)}`],
    ];
    if (message.scheduled_at) facts.push([say("fact_scheduled"), fullTime(message.scheduled_at)]);
    if (message.priority !== "normal") facts.push([say("fact_priority"), say(`priority_${message.priority}`)]);
    if (message.category !== "transactional") facts.push([say("fact_category"), message.category]);
    if (message.reference) facts.push([say("fact_reference"), message.reference]);
    if (message.provider_id) facts.push([say("fact_provider_id"), message.provider_id]);
    for (const [name, value] of Object.entries(message.metadata).slice(0, MOST_LABELS)) {
      facts.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
    }
    facts.push([say("fact_id"), message.id]);
    this.#facts.replaceChildren(
      ...facts.flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]),
    );
  }

  #showButtons() {
    const { id, status } = this.#message;
    const buttons = [];
    if (this.#actions.mayWrite && (status === "queued" || status === "sending")) {
      buttons.push(this.#button(say("cancel_message"), `/v1/messages/${id}/cancel`));
    }
    this.#buttons.replaceChildren(...buttons);
  }

  /**
   * @param {string} text
   * @param {string} path
   */
  #button(text, path) {
    const button = element("button", { type: "button", class: "button small", text });
    button.addEventListener("click", async () => {
      button.disabled = true;
      this.#problem.textContent = "";
      try {
        await this.#actions.change(this.#message, path);
      } catch (error) {
        this.#problem.textContent = asProblem(error).message;
        button.disabled = false;
      }
    });
    return button;
  }
}

/**
 * @param {StoryEvent} event
 * @param {string} own  The message that was opened; others are ways that were tried before or after it.
 */
function line(event, own) {
  const { detail } = event;
  const isOther = event.message_id !== own;
  const words = isOther ? [say("of_another")] : [];
  if (event.kind === "forwarded" && detail.status) words.push(config.statuses[detail.status] ?? detail.status);
  if (detail.channel) words.push(say("goes_on_over", { channel: channelName(detail.channel) }));
  if (event.attempt) words.push(say("attempt", { number: event.attempt }));
  if (detail.ms !== undefined) words.push(say("answered_after", { time: duration(detail.ms) }));
  if (detail.seconds !== undefined) words.push(say("goes_on_in", { time: duration(detail.seconds * 1000) }));
  return element(
    "li",
    { "data-kind": event.kind, "data-other": isOther },
    element("time", { datetime: event.at, text: exactTime(event.at) }),
    element("span", { class: "what", text: config.kinds[event.kind] ?? event.kind }),
    words.length > 0 && element("span", { class: "quiet", text: words.join(" · ") }),
    detail.error && element("span", { class: "why", text: whyIn(event) }),
  );
}

/** @param {StoryEvent} event */
function whyIn({ kind, detail: { error = "", code = "", detail = "" } }) {
  return kind === "media" ? whyNotFetched(error) : inWords(error, code, detail);
}
