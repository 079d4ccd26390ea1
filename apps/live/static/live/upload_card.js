/** A file that is on its way to the server, as one sees it: how far it is, and a way to give it up. */

import { locale, say } from "./config.js";
import { element, icon, set, write } from "./dom.js";
import { nameNode, shownName, sizeInWords } from "./file_words.js";

/** @typedef {import("./upload.js").Upload} Upload */

const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0, roundingMode: "floor" });

export class UploadCard {
  onCancel = () => {};
  #upload;
  #more = element("span", { class: "file-more" });
  #bar;

  /** @param {Upload} upload */
  constructor(upload) {
    this.#upload = upload;
    const name = shownName(upload.name, upload.kind);
    this.#bar = element("progress", { max: 100, "aria-label": say("uploading", { name }) });
    const cancel = element("button", { type: "button", class: "icon-button small file-cancel", title: say("remove") });
    cancel.append(icon("close"), element("span", { class: "unseen", text: say("remove_named", { name }) }));
    cancel.addEventListener("click", () => this.onCancel());
    this.node = element(
      "div",
      { class: "file-card" },
      icon(`media-${upload.kind}`),
      element("span", { class: "file-about" }, nameNode(name), this.#more, this.#bar),
      cancel,
    );
    this.show();
  }

  /** @param {string} [hint]  What else is to be known of it. */
  show(hint = "") {
    const { phase, loaded, size } = this.#upload;
    const share = size ? loaded / size : 0;
    set(this.node, "data-phase", phase);
    this.#bar.hidden = phase === "ready" || phase === "failed";
    // Nobody knows how long that takes.
    if (phase === "checking") this.#bar.removeAttribute("value");
    else this.#bar.value = Math.floor(share * 100);
    set(this.#bar, "aria-valuetext", phase === "checking" ? say("checking") : null);
    const state = { sending: percent.format(share), checking: say("checking"), ready: "", failed: say("not_uploaded") }[phase];
    write(this.#more, [sizeInWords(size), state, hint].filter(Boolean).join(" · "));
  }
}
