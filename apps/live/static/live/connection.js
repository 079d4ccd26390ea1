/** The socket that tells of every change, and in words how it is doing. */

import { announce } from "./announce.js";
import { config, say } from "./config.js";
import { byId, set, write } from "./dom.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./sync.js").Sync} Sync */
/** @typedef {typeof import("../../../../clients/js/src/chat-status-client.js")} Library */
/** @typedef {InstanceType<Library["ChatStatusClient"]>} Client */
/** @typedef {import("../../../../clients/js/src/types.js").State} State */
/** @typedef {import("./types.js").Change} Change */

const SECOND = 1000;
const REASONS = new Map([
  [4401, "closed_not_authenticated"],
  [4403, "closed_origin"],
  [4408, "closed_too_slow"],
  [4429, "closed_too_many"],
  [1012, "closed_restart"],
]);

export class Connection {
  #api;
  #store;
  #sync;
  /** @type {Client | null} */
  #client = null;
  /** @type {State} */
  #state = { state: "connecting", reason: null, code: null, retryInMs: null };
  #retryAt = 0;
  #timer = 0;
  #wasConnected = false;
  #isSubscribed = false;
  #isLeft = false;

  /**
   * @param {Api} api
   * @param {Store} store
   * @param {Sync} sync
   */
  constructor(api, store, sync) {
    this.#api = api;
    this.#store = store;
    this.#sync = sync;
    for (const button of document.querySelectorAll("[data-reconnect]")) {
      button.addEventListener("click", () => this.#again());
    }
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#show());
    this.#show();
  }

  async start() {
    try {
      /** @type {Library} */
      const { ChatStatusClient } = await import(config.urls.client);
      this.#client = new ChatStatusClient({
        url: config.urls.socket,
        getToken: ({ refresh }) => this.#token(refresh),
      });
    } catch (error) {
      console.error(error);
      this.#follow({ state: "closed", reason: say("closed_no_client"), code: null, retryInMs: null });
      return;
    }
    this.#listen(this.#client);
    this.#client.subscribeOrganization();
    this.#client.connect();
  }

  /** For good: the person is logged out. */
  leave() {
    this.#isLeft = true;
    this.#client?.disconnect();
  }

  /** @param {Client} client */
  #listen(client) {
    client.on("state", (state) => this.#follow(state));
    client.on("status", (change) => this.#store.follow(/** @type {Change} */ (change)));
    client.on("message", (written) => this.#store.receive(/** @type {Change} */ (/** @type {unknown} */ (written))));
    client.on("subscribed", () => this.#begin());
    client.on("gap", () => void this.#sync.afterGap());
    client.on("error", ({ code, detail }) => console.warn(`live: ${code}: ${detail}`));
  }

  /** What happened between the first reading and now is told by nobody. Later on, it is told or there is a gap. */
  #begin() {
    if (!this.#isSubscribed) this.#sync.all();
    this.#isSubscribed = true;
  }

  /** @param {boolean} isFresh */
  #token(isFresh) {
    if (isFresh) this.#api.forgetToken();
    return this.#api.token();
  }

  #again() {
    if (this.#client) this.#client.connect();
    else location.reload();
  }

  /** @param {State} event */
  #follow(event) {
    if (this.#isLeft && event.state !== "closed") return;
    const before = this.#state.state;
    this.#state = event;
    this.#retryAt = performance.now() + (event.retryInMs ?? 0);
    clearInterval(this.#timer);
    if (event.state === "waiting") this.#timer = window.setInterval(() => this.#show(), SECOND / 4);
    this.#sync.poll(event.state !== "connected" && !this.#isLeft);
    if (event.state === "connected") this.#wasConnected = true;
    if (before !== event.state) this.#tell(before);
    this.#show();
  }

  /** @param {State["state"]} before */
  #tell(before) {
    const { state } = this.#state;
    if (state === "connected") announce(say("connected"));
    else if (before === "connected" || state === "closed") announce(this.#words());
  }

  #words() {
    const { state } = this.#state;
    if (state === "connected") return say("connected");
    if (state === "closed") return say("closed");
    if (!navigator.onLine) return say("offline");
    if (state === "waiting") {
      const seconds = Math.ceil((this.#retryAt - performance.now()) / SECOND);
      return seconds > 0 ? say("reconnecting_in", { count: seconds }) : say("connecting");
    }
    return say(this.#wasConnected ? "reconnecting" : "connecting");
  }

  #why() {
    const { state, code, reason } = this.#state;
    if (state === "connected") return say("connected_means");
    const known = REASONS.get(code ?? 0);
    if (state === "closed") return known ? say(known) : (reason ?? say("closed_means"));
    if (!navigator.onLine) return say("offline_means");
    return known ? `${say(known)} ${say("polling_means")}` : say("polling_means");
  }

  #show() {
    const { state } = this.#state;
    const mood = state === "connected" ? "good" : state === "closed" ? "bad" : "waiting";
    const words = this.#words();
    for (const place of document.querySelectorAll("[data-connection]")) {
      set(place, "data-mood", mood);
      const text = place.querySelector("[data-connection-words]");
      if (text) write(text, words);
    }
    write(byId("connection-why"), this.#why());
    byId("reconnect").hidden = state !== "closed" && state !== "waiting";
    byId("closed-banner").hidden = state !== "closed" || this.#isLeft;
    write(byId("closed-banner-why"), state === "closed" ? this.#why() : "");
  }
}
