/** What a message says besides its text: a subject, media, buttons, a template. */

import { say } from "./config.js";
import { element, icon } from "./dom.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Media} Media */

const KINDS = new Set(["image", "audio", "video", "document"]);

/**
 * In the order in which they are read; the text stands between the first and the last of them.
 * @param {Message} message
 * @returns {{before: HTMLElement[], after: HTMLElement[]}}
 */
export function partsOf(message) {
  const { subject, media, buttons, template, button } = message.content;
  /** @type {HTMLElement[]} */
  const before = [];
  /** @type {HTMLElement[]} */
  const after = [];
  if (subject) before.push(element("p", { class: "subject", dir: "auto", text: subject }));
  if (template) before.push(element("p", { class: "origin" }, icon("template"), template.name));
  if (message.forwarded_from) before.push(element("p", { class: "origin" }, icon("forward"), say("forwarded")));
  if (message.fallback_of) before.push(element("p", { class: "origin" }, icon("retry"), say("other_way")));
  if (media) before.push(attachment(media));
  if (buttons?.length) {
    after.push(element("ul", { class: "choices" }, ...buttons.map(({ title }) => element("li", { text: title }))));
  }
  if (button) after.push(element("p", { class: "origin" }, icon("touch"), say("touched", { button })));
  return { before, after };
}

/**
 * Named, and opened only by somebody's own click: it lies on a server of strangers.
 * @param {Media} media
 */
function attachment(media) {
  const kind = KINDS.has(media.kind) ? media.kind : "document";
  const name = element("span", { class: "name", text: media.file_name || say(`media_${kind}`) });
  if (!media.url.startsWith("https://")) return element("p", { class: "attachment" }, icon(`media-${kind}`), name);
  return element(
    "a",
    { class: "attachment", href: media.url, target: "_blank", rel: "noopener noreferrer nofollow" },
    icon(`media-${kind}`),
    name,
    element("span", { class: "unseen", text: say("opens_elsewhere") }),
  );
}
