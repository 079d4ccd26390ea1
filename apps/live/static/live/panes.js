/** Which parts of the page are open: the activity beside the conversation, and the menu. */

import { byId, set } from "./dom.js";

const PLACE = "recado.activity";
// From so wide on there is room for three panes without asking.
const roomy = matchMedia("(min-width: 90rem)");

export function startPanes() {
  startActivity();
  startMenu();
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("thread").focus();
  });
}

function startActivity() {
  const button = byId("activity-toggle");
  const show = () => {
    const isOpen = wanted();
    document.body.dataset.activity = isOpen ? "open" : "closed";
    set(button, "aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => {
    keep(wanted() ? "closed" : "open");
    show();
  });
  roomy.addEventListener("change", show);
  show();
}

function wanted() {
  const kept = recall();
  return kept ? kept === "open" : roomy.matches;
}

function recall() {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return document.body.dataset.activity ?? null;
  }
}

/** @param {string} value */
function keep(value) {
  try {
    sessionStorage.setItem(PLACE, value);
  } catch {
    document.body.dataset.activity = value;
  }
}

/** A menu that is open closes when one goes elsewhere. */
function startMenu() {
  const menu = byId("menu", HTMLDetailsElement);
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}
