/** Who this is, where they are, and when that is over. */

import { config } from "./config.js";
import { byId, element, write } from "./dom.js";

/** @typedef {import("./types.js").Access} Access */

/** @param {Access} access */
export function showWhere(access) {
  write(byId("person"), access.user.name || access.user.email);
  write(byId("person-email"), access.user.name ? access.user.email : "");
  write(byId("organization"), access.organization.name);
  const select = byId("organization-choice", HTMLSelectElement);
  const isChoice = access.organizations.length > 1;
  byId("organization").hidden = isChoice;
  byId("organization-choice-field").hidden = !isChoice;
  select.replaceChildren(...access.organizations.map(({ id, name }) => element("option", { value: id, text: name })));
  select.value = access.organization.id;
  select.addEventListener("change", () => {
    location.assign(`${config.urls.page}?organization=${encodeURIComponent(select.value)}`);
  });
}

/** @param {import("./api.js").Problem} problem */
export function showLoggedOut(problem) {
  const dialog = byId("logged-out", HTMLDialogElement);
  write(byId("logged-out-why"), problem.message);
  if (!dialog.open) dialog.showModal();
}
