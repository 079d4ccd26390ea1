/** Puts the page together. */

import { whoIn } from "./address.js";
import { Api, asProblem } from "./api.js";
import { Charts } from "./charts.js";
import { Composer } from "./composer.js";
import { config } from "./config.js";
import { Connection } from "./connection.js";
import { Conversations } from "./conversations.js";
import { byId, framed, write } from "./dom.js";
import { FileLinks } from "./file_links.js";
import { Log } from "./log.js";
import { NewMessage } from "./new_message.js";
import { Outbox } from "./outbox.js";
import { tellOfOwn } from "./own.js";
import { startPanes } from "./panes.js";
import { Route } from "./route.js";
import { Simulate } from "./simulate.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { Thread } from "./thread.js";
import { Unread } from "./unread.js";
import { showLoggedOut, showWhere } from "./who.js";

/** @typedef {import("./types.js").Access} Access */

const RETRY_MS = 5000;

const api = new Api(new URLSearchParams(location.search).get("organization") ?? "");
startPanes();
void enter();

/** Nothing can be shown before the server says who this is. */
async function enter() {
  api.onLoggedOut = showLoggedOut;
  let access;
  try {
    access = await api.enter();
  } catch (error) {
    const problem = asProblem(error);
    if (problem.isLoggedOut) return;
    if (problem.code === "not_found" || problem.code === "invalid") {
      location.replace(config.urls.page);
      return;
    }
    byId("trouble").hidden = false;
    write(byId("trouble-why"), problem.message);
    setTimeout(() => void enter(), RETRY_MS);
    return;
  }
  start(access);
}

/** @param {Access} access */
function start(access) {
  byId("trouble").hidden = true;
  showWhere(access);
  const store = new Store();
  const sync = new Sync(api, store);
  const route = new Route();
  const outbox = new Outbox(api, store);
  const thread = new Thread(store, sync, actionsOf(store, outbox, route));
  const composer = new Composer(store, outbox, api);
  const newMessage = new NewMessage(api, store, route);
  const conversations = new Conversations(store, sync, route);
  const connection = new Connection(api, store, sync);
  new Log(store);
  const charts = new Charts(store);
  if (config.urls.simulators && api.may("messages:write")) new Simulate(api, store);
  for (const place of document.querySelectorAll("[data-needs-write]")) {
    /** @type {HTMLElement} */ (place).hidden = !api.may("messages:write");
  }

  composer.onSent = () => thread.follow();
  tellOfOwn(store, outbox, newMessage);
  api.onLoggedOut = (problem) => {
    connection.leave();
    showLoggedOut(problem);
  };
  byId("write-to-found").addEventListener("click", () => {
    location.hash = "/new";
    newMessage.open(byId("search", HTMLInputElement).value.trim());
  });

  const look = watch(store, route, new Unread(api, store));
  let last = "";
  let isStarted = false;
  route.on("place", ({ view, conversation }) => {
    showPlace(view, conversation);
    thread.open(conversation);
    composer.open(conversation);
    look();
    if (view === "new") newMessage.open();
    else if (isStarted && view === "thread") moveFocus(composer);
    else if (isStarted && view === "list") conversations.focus(last);
    last = conversation;
  });
  document.addEventListener("visibilitychange", () => {
    look();
    conversations.refresh();
  });
  route.start();
  isStarted = true;

  void connection.start();
  readAll(sync, conversations);
  void sync
    .latestMessages()
    .catch(asProblem)
    .then(() => charts.show());
}

/**
 * Says which conversation somebody looks at, whenever that may have changed.
 * @param {Store} store
 * @param {Route} route
 * @param {Unread} unread
 */
function watch(store, route, unread) {
  const roomy = matchMedia("(min-width: 48rem)");
  const look = () => {
    const { view, conversation } = route.place;
    const isSeen = !document.hidden && (view === "thread" || roomy.matches);
    unread.look(isSeen ? conversation : "");
    showTitle(store, conversation);
  };
  store.on("conversations", framed(look));
  return look;
}

/**
 * Again and again until it is read once; then events ask for more.
 * @param {Sync} sync
 * @param {Conversations} conversations
 */
async function readAll(sync, conversations) {
  try {
    await Promise.all([sync.conversations(), sync.accounts()]);
    conversations.complain("");
  } catch (error) {
    const problem = asProblem(error);
    if (problem.isLoggedOut) return;
    conversations.complain(problem.message);
    setTimeout(() => void readAll(sync, conversations), RETRY_MS);
  }
}

/**
 * @param {Store} store
 * @param {Outbox} outbox
 * @param {Route} route
 * @returns {import("./bubble.js").Actions}
 */
function actionsOf(store, outbox, route) {
  return {
    api,
    links: new FileLinks(api),
    mayWrite: api.may("messages:write"),
    accountName: (id) => store.accounts.get(id)?.name ?? "",
    async change(message, path) {
      await api.post(path);
      const { moment } = store;
      store.learnMessage(await api.get(`/v1/messages/${message.id}`), moment);
    },
    retry: (pending) => void outbox.hand(route.place.conversation, pending),
    discard: (pending) => outbox.discard(route.place.conversation, pending),
  };
}

/**
 * @param {string} view
 * @param {string} conversation
 */
function showPlace(view, conversation) {
  byId("thread-open").hidden = !conversation || view === "new";
  byId("thread-none").hidden = Boolean(conversation) || view === "new";
  byId("thread-new").hidden = view !== "new";
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab instanceof HTMLElement && tab.dataset.tab === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

const title = document.title;

/**
 * @param {Store} store
 * @param {string} conversation
 */
function showTitle(store, conversation) {
  const known = store.conversations.get(conversation);
  document.title = known ? `${whoIn(known)} · ${title}` : title;
}

/** Where there is a keyboard, one goes on by writing. @param {Composer} composer */
function moveFocus(composer) {
  if (matchMedia("(pointer: fine)").matches) composer.focus();
  else byId("thread").focus({ preventScroll: true });
}
