/** The REST API, in the name of whoever is logged in to this browser. */

import { config, say } from "./config.js";

/** @typedef {import("./types.js").Access} Access */

const PATIENCE_MS = 20_000;
// A token is renewed so long before it ends.
const MARGIN_MS = 60_000;

/** Why a request was not carried out, in words for people. */
export class Problem extends Error {
  /**
   * @param {number} status  0 where no answer came.
   * @param {string} code
   * @param {string} detail
   * @param {{pointer: string, code: string, detail: string}[]} [errors]
   */
  constructor(status, code, detail, errors = []) {
    super(errors.map(inContext).join(" ") || detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  /**
   * What is wrong with one field.
   * @param {string} field
   */
  about(field) {
    return this.errors.find((each) => each.pointer === `/${field}`)?.detail ?? null;
  }

  get isLoggedOut() {
    return this.code === "logged_out" || this.code === "no_membership";
  }

  /** To the client of the WebSocket: asking for another token is of no use. */
  get terminal() {
    return this.isLoggedOut;
  }
}

/**
 * With the name of the variable: a template has any, and nobody could tell which one is meant.
 * @param {{pointer: string, detail: string}} error
 */
function inContext({ pointer, detail }) {
  const name = /^\/template\/variables\/(.+)$/.exec(pointer)?.[1];
  return name ? `${name}: ${detail}` : detail;
}

/** @param {unknown} error */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem(0, "unexpected", say("unexpected"));
}

/** Visible ASCII, as an Idempotency-Key needs; also where pages are served without TLS. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Api {
  /** @type {Access | null} */
  access = null;
  /** @type {(problem: Problem) => void} */
  onLoggedOut = () => {};
  #endsAt = 0;
  /** @type {Promise<Access> | null} */
  #asking = null;
  #organization = "";

  /** @param {string} organization  Which one, or "" for the one that the server thinks of. */
  constructor(organization) {
    this.#organization = organization;
  }

  /** A token that is good for a while. The WebSocket asks here too. */
  async token() {
    return (await this.enter()).access;
  }

  /** @returns {Promise<Access>} */
  async enter() {
    if (this.access && performance.now() < this.#endsAt) return this.access;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  forgetToken() {
    this.#endsAt = 0;
  }

  /** @param {string} scope */
  may(scope) {
    return this.access?.scopes.includes(scope) ?? false;
  }

  /** @param {string} path */
  get(path) {
    return this.#send(path, { method: "GET" });
  }

  /**
   * @param {string} path
   * @param {object} [body]
   * @param {string} [key]  The same for each repetition.
   */
  post(path, body, key) {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    return this.#send(path, { method: "POST", headers, body: body === undefined ? "" : JSON.stringify(body) });
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   * @returns {Promise<any>}
   */
  async #send(path, request, isSecond = false) {
    const { access } = await this.enter();
    const headers = { ...request.headers, Authorization: `Bearer ${access}`, "Accept-Language": config.language };
    const answer = await reach(path, { ...request, headers });
    if (answer.status === 401 && !isSecond) {
      this.forgetToken();
      return this.#send(path, request, true);
    }
    return read(answer);
  }

  async #ask() {
    const answer = await reach(config.urls.token, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": config.csrf },
      body: JSON.stringify(this.#organization ? { organization_id: this.#organization } : {}),
    });
    try {
      /** @type {Access} */
      const access = await read(answer);
      this.access = access;
      this.#organization = access.organization.id;
      this.#endsAt = performance.now() + access.expires_in * 1000 - MARGIN_MS;
      return access;
    } catch (error) {
      const problem = asProblem(error);
      // Without its cookies, or after somebody else logged in, the server does not trust this page any more.
      const gone = answer.status === 403 && problem.code === "http_403";
      const told = gone ? new Problem(401, "logged_out", say("logged_out")) : problem;
      if (told.isLoggedOut) this.onLoggedOut(told);
      throw told;
    }
  }
}

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function reach(path, request) {
  try {
    return await fetch(path, { ...request, signal: AbortSignal.timeout(PATIENCE_MS), redirect: "error" });
  } catch {
    throw new Problem(0, "unreachable", say("unreachable"));
  }
}

/** @param {Response} answer */
async function read(answer) {
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  const known = body && typeof body.code === "string";
  if (!known) throw new Problem(answer.status, `http_${answer.status}`, say("server_trouble"));
  throw new Problem(answer.status, body.code, body.detail, body.errors);
}

/**
 * The same page of the same API: links in answers may name the server as a proxy sees it.
 * @param {string} link
 */
export function pathOf(link) {
  const { pathname, search } = new URL(link, location.href);
  return pathname + search;
}
