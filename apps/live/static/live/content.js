/** What a message says besides its text and its file: a subject, buttons, a template. */

import { say } from "./config.js";
import { element, icon } from "./dom.js";

/** @typedef {import("./types.js").Message} Message */

/**
 * In the order in which they are read; the text stands between the first and the last of them.
 * @param {Message} message
 * @returns {{before: HTMLElement[], after: HTMLElement[]}}
 */
export function partsOf(message) {
  const { subject, buttons, template, button } = message.content;
  /** @type {HTMLElement[]} */
  const before = [];
  /** @type {HTMLElement[]} */
  const after = [];
  if (subject) before.push(element("p", { class: "subject", dir: "auto", text: subject }));
  if (template) before.push(element("p", { class: "origin" }, icon("template"), template.name));
  if (message.forwarded_from) before.push(element("p", { class: "origin" }, icon("forward"), say("forwarded")));
  if (message.fallback_of) before.push(element("p", { class: "origin" }, icon("retry"), say("other_way")));
  if (buttons?.length) {
    after.push(element("ul", { class: "choices" }, ...buttons.map(({ title }) => element("li", { text: title }))));
  }
  if (button) after.push(element("p", { class: "origin" }, icon("touch"), say("touched", { button })));
  return { before, after };
}
