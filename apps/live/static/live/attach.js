/** Choosing a file for a message: by a button, by dropping it, or by pasting a picture. One goes with a message. */

import { announce } from "./announce.js";
import { say } from "./config.js";
import { byId, element, set, write } from "./dom.js";
import { shownName } from "./file_words.js";
import { Upload } from "./upload.js";
import { UploadCard } from "./upload_card.js";

/** @typedef {import("./api.js").Api} Api */

// Elsewhere on the page a browser would leave it for the file.
for (const name of ["dragover", "drop"]) {
  addEventListener(name, (event) => {
    const { dataTransfer } = /** @type {DragEvent} */ (event);
    if (event.defaultPrevented || !dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dataTransfer.dropEffect = "none";
  });
}

export class Attach {
  /** The one that was chosen; it is on its way already. @type {Upload | null} */
  upload = null;
  onChange = () => {};
  /** Nothing else goes with the message then. */
  onChoose = () => {};
  #api;
  #button;
  #input;
  #place;
  #problem;
  #zone;
  #text;
  #again = element("button", { type: "button", class: "button small", text: say("try_again") });
  #why = element("p", { class: "problem", role: "alert" });
  /** @type {UploadCard | null} */
  #card = null;
  #hint = "";

  /**
   * @param {Api} api
   * @param {string} prefix  Of the ids in live/chosen.html.
   * @param {HTMLElement} zone  Where it may be dropped.
   * @param {HTMLTextAreaElement} text  Where it may be pasted.
   */
  constructor(api, prefix, zone, text) {
    this.#api = api;
    this.#zone = zone;
    this.#text = text;
    this.#button = byId(`${prefix}-file`, HTMLButtonElement);
    this.#input = byId(`${prefix}-file-input`, HTMLInputElement);
    this.#place = byId(`${prefix}-chosen`);
    this.#problem = byId(`${prefix}-file-problem`);
    this.#button.hidden = !api.may("files:write");
    this.#button.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => this.#choose(this.#input.files));
    this.#again.addEventListener("click", () => void this.#upload());
    text.addEventListener("paste", (event) => this.#paste(event));
    for (const name of ["dragenter", "dragover"]) {
      zone.addEventListener(name, (event) => this.#hover(/** @type {DragEvent} */ (event)));
    }
    zone.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && zone.contains(event.relatedTarget))) set(zone, "data-drop", null);
    });
    zone.addEventListener("drop", (event) => this.#drop(event));
  }

  /** Another one in its place, or none. What was shown goes on without being seen. @param {Upload | null} upload */
  put(upload) {
    if (upload === this.upload) return;
    if (this.upload) this.upload.onChange = () => {};
    this.upload = upload;
    this.#hint = "";
    write(this.#problem, "");
    this.#card = upload && new UploadCard(upload);
    this.#place.hidden = !upload;
    this.#place.replaceChildren(...(this.#card ? [this.#card.node, this.#why, this.#again] : []));
    if (upload && this.#card) {
      this.#card.onCancel = () => this.#remove();
      upload.onChange = () => this.#show();
    }
    this.#show();
  }

  /** It goes with a message now. */
  take() {
    const { upload } = this;
    this.put(null);
    return upload;
  }

  /** What is to be known of how it goes. @param {string} hint */
  tell(hint) {
    this.#hint = hint;
    this.#card?.show(hint);
  }

  /** @param {FileList | undefined | null} files */
  #choose(files) {
    const file = files?.[0];
    const isMany = (files?.length ?? 0) > 1;
    if (!file) return;
    this.upload?.cancel();
    this.onChoose();
    this.put(new Upload(file, this.#api));
    write(this.#problem, isMany ? say("one_file") : "");
    // The same again is a change, too.
    this.#input.value = "";
    announce(say("uploading", { name: shownName(file.name, "document") }));
    void this.#upload();
    if (this.#text.hidden) this.#button.focus();
    else this.#text.focus();
  }

  async #upload() {
    const { upload } = this;
    if (!upload) return;
    try {
      await upload.ready();
      if (upload === this.upload) announce(say("uploaded", { name: shownName(upload.name, "document") }));
    } catch {
      // The upload itself says why.
    }
  }

  #remove() {
    this.upload?.cancel();
    this.put(null);
    this.#button.focus();
  }

  #show() {
    const problem = this.upload?.problem ?? null;
    this.#card?.show(this.#hint);
    write(this.#why, problem?.message ?? "");
    this.#again.hidden = !problem;
    this.onChange();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = event.clipboardData?.files;
    // What was copied from a document is a text and a picture of it.
    if (!files?.length || !this.#isOffered() || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    this.#choose(files);
  }

  /** @param {DragEvent} event */
  #hover(event) {
    if (!event.dataTransfer?.types.includes("Files") || !this.#isOffered()) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    set(this.#zone, "data-drop", say("drop_here"));
  }

  /** @param {DragEvent} event */
  #drop(event) {
    set(this.#zone, "data-drop", null);
    if (!event.dataTransfer?.types.includes("Files") || !this.#isOffered()) return;
    event.preventDefault();
    this.#choose(event.dataTransfer.files);
  }

  #isOffered() {
    return this.#button.checkVisibility();
  }
}
