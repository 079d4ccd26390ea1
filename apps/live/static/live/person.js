/** In the demo: write as a simulated person, so that somebody writes first. */

import { asProblem } from "./api.js";
import { channelName, config, say } from "./config.js";
import { byId, element, write } from "./dom.js";
import { control } from "./simulators.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./types.js").Account} Account */

/** Which public credential names an account at its provider. */
const NAMED_BY = ["phone_number_id", "instagram_id", "instance", "account_sid"];

export class Person {
  #form = byId("person-writes", HTMLFormElement);
  #account = byId("person-account", HTMLSelectElement);
  #from = byId("person-from", HTMLInputElement);
  #text = byId("person-text", HTMLInputElement);
  #send = byId("person-send", HTMLButtonElement);
  #said = byId("person-said");
  #store;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    this.#account.addEventListener("change", () => this.#showFrom());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#write();
    });
  }

  showAccounts() {
    const chosen = this.#account.value;
    const accounts = [...this.#store.accounts.values()].filter(simulatorOf);
    const each = accounts.map(({ id, name, connector }) =>
      element("option", { value: id, text: `${name} · ${channelName(connector)}` }),
    );
    this.#account.replaceChildren(...each);
    if (accounts.some(({ id }) => id === chosen)) this.#account.value = chosen;
    this.#form.hidden = accounts.length === 0;
    this.#showFrom();
  }

  /** An address of the kind that the channel has; one's own is kept where it can be one. */
  #showFrom() {
    const account = this.#store.accounts.get(this.#account.value);
    const kind = account && config.connectors[account.connector]?.address;
    const isPhone = /^\+/.test(this.#from.value);
    if (kind && (!this.#from.value || isPhone !== (kind === "phone"))) {
      this.#from.value = kind === "phone" ? "+5511981000777" : "17840000000777";
    }
  }

  async #write() {
    const account = this.#store.accounts.get(this.#account.value);
    if (!account) return;
    this.#send.disabled = true;
    try {
      const name = NAMED_BY.map((each) => account.credentials[each]).find(Boolean);
      await control("POST", "say", {
        provider: simulatorOf(account),
        ...(name ? { account: name } : {}),
        from: this.#from.value.trim().replace(/^\+/, ""),
        text: this.#text.value,
        name: say("simulated_person", { number: this.#from.value.trim().slice(-4) }),
      });
      write(this.#said, say("person_wrote"));
    } catch (error) {
      write(this.#said, asProblem(error).message);
    } finally {
      this.#send.disabled = false;
    }
  }
}

/** @param {Account} account */
function simulatorOf(account) {
  return config.connectors[account.connector]?.simulator ?? "";
}
