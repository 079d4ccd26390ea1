/** In the demo: make traffic, and order faults of the simulated providers. */

import { asProblem, newKey } from "./api.js";
import { config, locale, say, sayCount } from "./config.js";
import { byId, element, write } from "./dom.js";
import { Person } from "./person.js";
import { control } from "./simulators.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {{kind: string, rate?: number, for_seconds?: number, seconds?: number, retry_after?: number, struck?: number, over?: boolean}} Fault */

const STEP_MS = 500;
const LOOK_MS = 2000;
const MOST_IN_BATCH = 1000;
const PEOPLE = 200;
const RETRY_AFTER = 5;
/** Where made-up people are reached. */
/** @type {Record<string, (person: string) => string> & {id: (person: string) => string}} */
const PLACES = {
  phone: (person) => `+551198100${person}`,
  email: (person) => `pessoa${person}@example.com`,
  url: (person) => `${config.urls.simulators}/target/${person}`,
  id: (person) => `178400000${person}`,
};

export class Simulate {
  #drawer = byId("simulate", HTMLDialogElement);
  #opener = byId("simulate-open", HTMLButtonElement);
  #traffic;
  #person;
  #faults;
  #timer = 0;

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#traffic = new Traffic(api, store);
    this.#person = new Person(store);
    this.#faults = new FaultsForm();
    this.#opener.addEventListener("click", () => (this.#drawer.open ? this.#drawer.close() : this.#open()));
    byId("simulate-close").addEventListener("click", () => this.#drawer.close());
    this.#drawer.addEventListener("keydown", (event) => event.key === "Escape" && this.#drawer.close());
    this.#drawer.addEventListener("close", () => {
      clearInterval(this.#timer);
      this.#opener.setAttribute("aria-expanded", "false");
      this.#opener.focus();
    });
  }

  #open() {
    // Beside the page, not over it: one watches what happens.
    this.#drawer.show();
    this.#opener.setAttribute("aria-expanded", "true");
    this.#traffic.showAccounts();
    this.#person.showAccounts();
    void this.#faults.look();
    this.#timer = window.setInterval(() => document.hidden || void this.#faults.look(), LOOK_MS);
  }
}

class Traffic {
  #form = byId("traffic", HTMLFormElement);
  #account = byId("traffic-account", HTMLSelectElement);
  #count = byId("traffic-count", HTMLInputElement);
  #rate = byId("traffic-rate", HTMLInputElement);
  #start = byId("traffic-start", HTMLButtonElement);
  #stop = byId("traffic-stop", HTMLButtonElement);
  #progress = byId("traffic-progress", HTMLProgressElement);
  #said = byId("traffic-said");
  #api;
  #store;
  #isStopped = true;
  #run = "";

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#begin();
    });
    this.#stop.addEventListener("click", () => {
      this.#isStopped = true;
    });
  }

  showAccounts() {
    const chosen = this.#account.value;
    const all = element("option", { value: "", text: say("every_account") });
    const each = [...this.#store.accounts.values()].map(({ id, name }) => element("option", { value: id, text: name }));
    this.#account.replaceChildren(all, ...each);
    this.#account.value = this.#store.accounts.has(chosen) ? chosen : "";
  }

  async #begin() {
    const accounts = [...this.#store.accounts.values()].filter((each) => !this.#account.value || each.id === this.#account.value);
    if (!accounts.length || !this.#isStopped) return;
    this.#isStopped = false;
    this.#run = newKey().slice(0, 8);
    this.#showRunning(true);
    try {
      await this.#sendAll(accounts, this.#count.valueAsNumber, this.#rate.valueAsNumber);
    } catch (error) {
      write(this.#said, asProblem(error).message);
    }
    this.#isStopped = true;
    this.#showRunning(false);
  }

  /**
   * @param {import("./types.js").Account[]} accounts
   * @param {number} count
   * @param {number} rate
   */
  async #sendAll(accounts, count, rate) {
    const began = performance.now();
    let [sent, accepted, refused, why] = [0, 0, 0, ""];
    this.#progress.max = count;
    while (sent < count && !this.#isStopped) {
      const due = Math.ceil(((performance.now() - began + STEP_MS) / 1000) * rate) - sent;
      const many = Math.min(due, count - sent, MOST_IN_BATCH);
      if (many > 0) {
        const messages = Array.from({ length: many }, (_each, n) => this.#message(accounts, sent + n));
        const answer = await this.#api.post("/v1/messages/batch", { messages }, newKey());
        sent += many;
        accepted += answer.accepted.length;
        refused += answer.refused.length;
        why = answer.refused[0]?.errors[0]?.detail ?? why;
      }
      this.#progress.value = sent;
      write(this.#said, this.#words(accepted, refused, why));
      if (sent < count) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }

  /**
   * @param {number} accepted
   * @param {number} refused
   * @param {string} why
   */
  #words(accepted, refused, why) {
    const words = sayCount("accepted_count", accepted);
    return refused ? `${words} ${sayCount("refused_count", refused)} ${why}` : words;
  }

  /**
   * @param {import("./types.js").Account[]} accounts
   * @param {number} n
   */
  #message(accounts, n) {
    const account = /** @type {import("./types.js").Account} */ (accounts[n % accounts.length]);
    const person = String(Math.floor(Math.random() * PEOPLE)).padStart(4, "0");
    const kind = config.connectors[account.connector]?.address ?? "";
    return {
      account_id: account.id,
      to: (PLACES[kind] ?? PLACES.id)(person),
      text: say(`sample_${Math.floor(Math.random() * 5) + 1}`),
      reference: `simulate-${this.#run}`,
    };
  }

  /** @param {boolean} isRunning */
  #showRunning(isRunning) {
    this.#start.hidden = isRunning;
    this.#stop.hidden = !isRunning;
    this.#progress.hidden = !isRunning;
    (isRunning ? this.#stop : this.#start).focus();
  }
}

class FaultsForm {
  #form = byId("faults", HTMLFormElement);
  #kind = byId("fault-kind", HTMLSelectElement);
  #rate = byId("fault-rate", HTMLInputElement);
  #lasts = byId("fault-for", HTMLInputElement);
  #seconds = byId("fault-seconds", HTMLInputElement);
  #list = byId("fault-list");
  #none = byId("no-faults");
  #clear = byId("faults-clear", HTMLButtonElement);
  #problem = byId("fault-problem");
  /** @type {Fault[]} */
  #faults = [];

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#order([...this.#faults.filter((each) => !each.over).map(ordered), this.#wanted()]);
    });
    this.#kind.addEventListener("change", () => this.#showKind());
    this.#clear.addEventListener("click", () => void this.#order([]));
    this.#showKind();
  }

  async look() {
    try {
      this.#faults = await control("GET", "faults");
      const tally = await control("GET", "tally");
      write(byId("tally-accepted"), tally.accepted.toLocaleString(locale));
      write(byId("tally-refused"), sum(tally.refused_by_kind).toLocaleString(locale));
      write(byId("tally-doubled"), Object.keys(tally.doubled).length.toLocaleString(locale));
      write(this.#problem, "");
    } catch (error) {
      write(this.#problem, asProblem(error).message);
    }
    this.#show();
  }

  /** @param {Fault[]} faults */
  async #order(faults) {
    try {
      this.#faults = await control("PUT", "faults", faults);
      write(this.#problem, "");
    } catch (error) {
      write(this.#problem, asProblem(error).message);
    }
    this.#show();
  }

  /** @returns {Fault} */
  #wanted() {
    const kind = this.#kind.value;
    /** @type {Fault} */
    const fault = { kind, rate: this.#rate.valueAsNumber / 100, for_seconds: this.#lasts.valueAsNumber };
    if (kind === "slow") fault.seconds = this.#seconds.valueAsNumber;
    if (kind.endsWith("rate_limited")) fault.retry_after = RETRY_AFTER;
    return fault;
  }

  #showKind() {
    const chosen = this.#kind.selectedOptions[0];
    write(byId("fault-means"), chosen?.dataset.means ?? "");
    byId("fault-seconds-field").hidden = this.#kind.value !== "slow";
  }

  #show() {
    const inForce = this.#faults.filter((each) => !each.over);
    this.#none.hidden = inForce.length > 0;
    this.#clear.hidden = inForce.length === 0;
    this.#list.replaceChildren(
      ...inForce.map((fault) => {
        const name = this.#kind.querySelector(`option[value="${CSS.escape(fault.kind)}"]`)?.textContent ?? fault.kind;
        const share = Math.round((fault.rate ?? 1) * 100);
        return element(
          "li",
          {},
          element("span", { class: "fault-name", text: name }),
          element("span", { class: "quiet", text: say("fault_struck", { share, count: fault.struck ?? 0 }) }),
        );
      }),
    );
  }
}

/** What was ordered, without what became of it. @param {Fault} fault */
function ordered({ struck, over, ...order }) {
  void struck;
  void over;
  return order;
}

/** @param {Record<string, number>} counts */
function sum(counts) {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}
