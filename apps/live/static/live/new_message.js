/** A message to somebody new: through which account, to which address. */

import { bare } from "./address.js";
import { asProblem, newKey } from "./api.js";
import { Attach } from "./attach.js";
import { roomFor } from "./carrying.js";
import { hintOn, sendsOnEnter, showLength, tooLong } from "./composer.js";
import { channelName, config, say } from "./config.js";
import { byId, element, framed, set, write } from "./dom.js";
import { Parts } from "./parts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./route.js").Route} Route */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Message} Message */

const FIELDS = /** @type {const} */ (["account_id", "to", "text"]);

export class NewMessage {
  #form = byId("new-message", HTMLFormElement);
  #account = byId("new-account_id", HTMLSelectElement);
  #to = byId("new-to", HTMLInputElement);
  #text = byId("new-text", HTMLTextAreaElement);
  #send = byId("new-send", HTMLButtonElement);
  #problem = byId("new-problem");
  #textField = byId("new-text-field");
  #partsOpen = byId("new-parts-open");
  #parts;
  #attach;
  #api;
  #store;
  #route;
  /** What was sent with which key, so that the same again is no second message. */
  #last = { body: "", key: "" };
  /** @type {(message: Message) => void} */
  onAccepted = () => {};

  /**
   * @param {Api} api
   * @param {Store} store
   * @param {Route} route
   */
  constructor(api, store, route) {
    this.#api = api;
    this.#store = store;
    this.#route = route;
    this.#parts = new Parts(api, "new");
    this.#parts.onChange = () => this.#show();
    this.#attach = new Attach(api, "new", byId("thread-new"), this.#text);
    this.#attach.onChoose = () => this.#parts.close();
    this.#attach.onChange = () => this.#show();
    store.on("conversations", framed(() => this.#showAccounts()));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#form.addEventListener("input", (event) => {
      this.#complainAbout(/** @type {HTMLElement} */ (event.target).id.replace("new-", ""), "");
      this.#show();
    });
    sendsOnEnter(this.#text, this.#form);
  }

  /** @param {string} [address] */
  open(address) {
    if (address) this.#to.value = address;
    this.#show();
    (this.#to.value ? this.#text : this.#to).focus();
  }

  #channel() {
    return this.#store.accounts.get(this.#account.value)?.connector ?? "";
  }

  #showAccounts() {
    const accounts = [...this.#store.accounts.values()];
    const known = [...this.#account.options].map((each) => each.value).join();
    if (known === accounts.map((each) => each.id).join()) return;
    const chosen = this.#account.value;
    this.#account.replaceChildren(
      ...accounts.map((each) => {
        const name = `${each.name} · ${channelName(each.connector)}`;
        return element("option", { value: each.id, text: each.paused ? say("paused_option", { name }) : name });
      }),
    );
    if (this.#store.accounts.has(chosen)) this.#account.value = chosen;
    byId("new-no-account").hidden = accounts.length > 0;
    this.#show();
  }

  #show() {
    const channel = this.#channel();
    const isPhone = config.connectors[channel]?.address === "phone";
    write(byId("new-to-help"), config.connectors[channel]?.address_means ?? "");
    set(this.#to, "inputmode", isPhone ? "tel" : "text");
    this.#parts.carriedBy(channel);
    const { upload } = this.#attach;
    this.#partsOpen.hidden = upload !== null;
    this.#textField.hidden = !this.#carriesText();
    showLength(this.#text, byId("new-left"), channel, upload);
    this.#attach.tell(hintOn(channel, upload));
    const paused = this.#store.accounts.get(this.#account.value)?.paused;
    write(byId("new-paused"), paused ? say("account_paused", { why: paused.reason }) : "");
    this.#send.disabled = !this.#account.value || (upload !== null && upload.phase !== "ready");
  }

  #carriesText() {
    const { upload } = this.#attach;
    return upload ? roomFor(this.#channel(), upload) > 0 : this.#parts.carriesText;
  }

  async #submit() {
    const way = this.#parts.way;
    const { upload } = this.#attach;
    const text = this.#carriesText() ? this.#text.value : "";
    const to = this.#to.value.trim();
    for (const field of FIELDS) this.#complainAbout(field, "");
    write(this.#problem, "");
    if (!bare(to)) return this.#complainAbout("to", say("address_missing"), true);
    if (way && !this.#parts.isComplete) return this.#parts.complain(say("part_missing"));
    if (!this.#parts.isValid()) return;
    if (!way && !upload && !text.trim()) return this.#complainAbout("text", say("text_missing"), true);
    if (tooLong(text, this.#channel(), upload) > 0) return this.#text.focus();
    if (upload && upload.phase !== "ready") return write(this.#problem, say("still_uploading"));
    const said = text.trim() ? { text } : {};
    const parts = upload ? { media: { file_id: await upload.ready() } } : this.#parts.wanted();
    const wanted = { account_id: this.#account.value, to, ...said, ...parts };
    const body = JSON.stringify(wanted);
    if (body !== this.#last.body) this.#last = { body, key: newKey() };
    this.#send.disabled = true;
    try {
      /** @type {Message} */
      const message = await this.#api.post("/v1/messages", wanted, this.#last.key);
      this.#last = { body: "", key: "" };
      this.#to.value = this.#text.value = "";
      this.#parts.close();
      this.#attach.put(null);
      this.onAccepted(message);
      this.#route.replace(message.conversation_id);
    } catch (error) {
      this.#complain(asProblem(error));
    } finally {
      this.#send.disabled = false;
    }
  }

  /** @param {import("./api.js").Problem} problem */
  #complain(problem) {
    const fields = FIELDS.filter((field) => problem.about(field));
    if (!fields.length) write(this.#problem, problem.message);
    fields.reverse().forEach((field) => this.#complainAbout(field, problem.about(field) ?? "", true));
  }

  /**
   * @param {string} field
   * @param {string} text
   */
  #complainAbout(field, text, withFocus = false) {
    const place = document.getElementById(`new-${field}-problem`);
    const input = document.getElementById(`new-${field}`);
    if (!place || !input) return;
    write(place, text);
    set(input, "aria-invalid", text ? "true" : null);
    if (withFocus) input.focus();
  }
}
