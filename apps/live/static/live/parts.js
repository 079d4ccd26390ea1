/** What goes with a message, or instead of its text: a file by its link, or a template with its variables. */

import { asProblem } from "./api.js";
import { config, say } from "./config.js";
import { byId, element, write } from "./dom.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./types.js").Template} Template */
/** @typedef {import("./types.js").Variable} Variable */
/** @typedef {import("./types.js").WantedParts} WantedParts */

const MOST_TEMPLATES = 100;
/** How a variable of each type is written; the others as text, as their sample shows. @type {Record<string, string>} */
const INPUTS = { boolean: "checkbox", number: "number", date: "date" };

export class Parts {
  #box;
  /** Fieldsets: what was not chosen is disabled, so that no form waits for it. */
  #media;
  #kind;
  #url;
  #name;
  #template;
  #chosen;
  #variables;
  #problem;
  #api;
  #prefix;
  #channel = "";
  /** @type {Map<string, Template>} */
  #templates = new Map();
  /** What was asked of the person, by the variable. @type {Map<string, {input: HTMLInputElement, type: string}>} */
  #asked = new Map();
  onChange = () => {};

  /**
   * @param {Api} api
   * @param {string} prefix  Of the ids in live/parts.html.
   */
  constructor(api, prefix) {
    this.#api = api;
    this.#prefix = prefix;
    this.#box = byId(`${prefix}-parts`);
    this.#media = byId(`${prefix}-media`, HTMLFieldSetElement);
    this.#kind = byId(`${prefix}-media-kind`, HTMLSelectElement);
    this.#url = byId(`${prefix}-media-url`, HTMLInputElement);
    this.#name = byId(`${prefix}-media-name`, HTMLInputElement);
    this.#template = byId(`${prefix}-template`, HTMLFieldSetElement);
    this.#chosen = byId(`${prefix}-template-name`, HTMLSelectElement);
    this.#variables = byId(`${prefix}-template-variables`);
    this.#problem = byId(`${prefix}-parts-problem`);
    this.#box.addEventListener("change", () => this.#show());
    this.#chosen.addEventListener("change", () => void this.#askFor());
    this.#box.addEventListener("input", () => this.onChange());
    byId(`${prefix}-parts-close`).addEventListener("click", () => this.close());
    byId(`${prefix}-parts-open`).addEventListener("click", () => (this.#box.hidden ? this.open() : this.close()));
  }

  /** The way that was chosen; "" is only text. */
  get way() {
    const checked = this.#box.querySelector(`input[name="${this.#prefix}-sends"]:checked`);
    return this.#box.hidden || !(checked instanceof HTMLInputElement) ? "" : checked.value;
  }

  /** @param {string} channel  The connector of the account that sends. */
  carriedBy(channel) {
    if (channel === this.#channel) return;
    this.#channel = channel;
    const kinds = Object.keys(config.connectors[channel]?.media ?? {});
    this.#kind.replaceChildren(
      ...kinds.map((kind) => element("option", { value: kind, text: say(`media_${kind}`) })),
    );
    const media = this.#radio("media");
    media.disabled = kinds.length === 0;
    if (media.disabled && media.checked) this.#radio("template").checked = true;
    this.#show();
  }

  /** @param {"media" | "template"} [way] */
  open(way) {
    this.#box.hidden = false;
    byId(`${this.#prefix}-parts-open`).setAttribute("aria-expanded", "true");
    const wanted = way ?? (this.#radio("media").disabled ? "template" : "media");
    this.#radio(wanted).checked = true;
    this.#show();
    (wanted === "media" ? this.#url : this.#chosen).focus();
  }

  close() {
    this.#box.hidden = true;
    byId(`${this.#prefix}-parts-open`).setAttribute("aria-expanded", "false");
    this.#url.value = this.#name.value = "";
    write(this.#problem, "");
    this.#show();
  }

  /** Whether there is enough to send. */
  get isComplete() {
    if (this.way === "media") return this.#url.value.trim() !== "";
    return this.way === "template" && this.#chosen.value !== "";
  }

  /** Whether a text goes with it. */
  get carriesText() {
    if (this.way !== "media") return this.way === "";
    return (config.connectors[this.#channel]?.media[this.#kind.value] ?? 0) > 0;
  }

  /** Whether everything is filled in as it must be; else the browser says at the field what is wrong. */
  isValid() {
    const invalid = this.#box.querySelector("input:invalid");
    return !(invalid instanceof HTMLInputElement) || invalid.reportValidity();
  }

  /** @returns {WantedParts}  As the REST API takes them. */
  wanted() {
    if (this.way === "media") {
      const name = this.#name.value.trim();
      const media = { kind: this.#kind.value, url: this.#url.value.trim(), ...(name ? { file_name: name } : {}) };
      return { media };
    }
    if (this.way !== "template") return {};
    /** @type {Record<string, string | number | boolean>} */
    const variables = {};
    for (const [name, { input, type }] of this.#asked) {
      if (type === "boolean") variables[name] = input.checked;
      else if (input.value !== "") variables[name] = type === "number" ? input.valueAsNumber : input.value;
    }
    return { template: { name: this.#chosen.value, variables } };
  }

  /** @param {string} text */
  complain(text) {
    write(this.#problem, text);
  }

  #show() {
    const way = this.way;
    this.#media.hidden = this.#media.disabled = way !== "media";
    this.#template.hidden = this.#template.disabled = way !== "template";
    if (way === "template" && this.#templates.size === 0) void this.#readTemplates();
    this.onChange();
  }

  async #readTemplates() {
    try {
      const page = await this.#api.get(`/v1/templates?limit=${MOST_TEMPLATES}`);
      /** @type {Template[]} */
      const templates = page.data;
      const sent = templates.filter((each) => each.published_version !== null && each.archived_at === null);
      this.#templates = new Map(sent.map((each) => [each.name, each]));
      this.#chosen.replaceChildren(...sent.map(({ name }) => element("option", { value: name, text: name })));
      write(this.#problem, sent.length ? "" : say("no_templates"));
      await this.#askFor();
    } catch (error) {
      write(this.#problem, asProblem(error).message);
    }
  }

  /** For the variables of the template that was chosen, with their samples to show what is meant. */
  async #askFor() {
    const template = this.#templates.get(this.#chosen.value);
    this.#asked.clear();
    this.#variables.replaceChildren();
    if (!template) return this.onChange();
    try {
      const version = await this.#api.get(`/v1/templates/${template.id}/versions/${template.published_version}`);
      if (this.#chosen.value !== template.name) return;
      /** @type {Variable[]} */
      const variables = version.variables;
      this.#variables.replaceChildren(...variables.map((variable) => this.#field(variable)));
      write(this.#problem, "");
    } catch (error) {
      write(this.#problem, asProblem(error).message);
    }
    this.onChange();
  }

  /** @param {Variable} variable */
  #field({ name, type, sample, is_required: isRequired }) {
    const id = `${this.#prefix}-variable-${name}`;
    const kind = INPUTS[type] ?? "text";
    const input = element("input", { id, type: kind, required: isRequired && kind !== "checkbox", maxlength: 1000 });
    if (kind === "text") input.placeholder = String(sample);
    if (kind === "number") input.step = "any";
    this.#asked.set(name, { input, type });
    return element("div", { class: "field" }, element("label", { for: id, text: name }), input);
  }

  /** @param {string} way */
  #radio(way) {
    const found = this.#box.querySelector(`input[name="${this.#prefix}-sends"][value="${way}"]`);
    if (!(found instanceof HTMLInputElement)) throw new Error(`the page has no way to send ${way}`);
    return found;
  }
}
