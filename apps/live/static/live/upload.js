/** One file on its way from this device to the server, however often it has to begin again. */

import { asProblem, Problem } from "./api.js";
import { config, say } from "./config.js";
import { framed } from "./dom.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {typeof import("../../../../clients/js/src/uploads.js")} Library */

// As the server names them; what is none of these goes as a document.
const SHOWN = /^(image\/(jpeg|png|gif|webp)|audio\/(mpeg|ogg|mp4|aac|amr|x-wav)|video\/(mp4|webm))$/;

/** Those that would be lost with the page. @type {Set<Upload>} */
const running = new Set();
addEventListener("beforeunload", (event) => running.size > 0 && event.preventDefault());

export class Upload {
  /** @type {"sending" | "checking" | "ready" | "failed"} */
  phase = "sending";
  loaded = 0;
  /** Why it failed. @type {Problem | null} */
  problem = null;
  isCancelled = false;
  /** To whoever shows it now. */
  onChange = () => {};
  #file;
  #api;
  #stop = new AbortController();
  #tell = framed(() => this.onChange());
  /** @type {Promise<string> | null} */
  #running = null;
  /** What arrived before it broke off. */
  #resume = "";

  /**
   * @param {File} file
   * @param {Api} api
   */
  constructor(file, api) {
    this.#file = file;
    this.#api = api;
  }

  get name() {
    return this.#file.name;
  }

  get size() {
    return this.#file.size;
  }

  /** What it is most likely to be. The server looks at its content. */
  get kind() {
    return SHOWN.exec(this.#file.type)?.[1]?.split("/")[0] ?? "document";
  }

  /** Its id, once it is there. What failed begins again. */
  ready() {
    this.#running ??= this.#run();
    return this.#running;
  }

  cancel() {
    this.isCancelled = true;
    this.#stop.abort();
  }

  /** @returns {Promise<string>} */
  async #run() {
    this.#go("sending", null);
    try {
      const { upload } = await library();
      const file = await upload(this.#file, {
        url: location.origin,
        getToken: ({ refresh }) => this.#token(refresh),
        onProgress: ({ loaded, phase }) => {
          this.loaded = loaded;
          if (phase !== "ready") this.#go(phase, null);
        },
        signal: this.#stop.signal,
        ...(this.#resume ? { resume: this.#resume } : {}),
      });
      this.#go("ready", null);
      return file.id;
    } catch (error) {
      this.#running = null;
      const problem = this.isCancelled ? new Problem(0, "cancelled", "") : this.#problemOf(error);
      this.#go("failed", problem);
      throw problem;
    }
  }

  /** @param {boolean} isFresh */
  #token(isFresh) {
    if (isFresh) this.#api.forgetToken();
    return this.#api.token();
  }

  /** @param {unknown} error */
  #problemOf(error) {
    if (!(error instanceof Error) || error.name !== "UploadFailed") return asProblem(error);
    const { code, status, uploadId } = /** @type {import("../../../../clients/js/src/uploads.js").UploadFailed} */ (error);
    this.#resume = uploadId ?? "";
    return new Problem(status, code, code === "unreachable" ? say("unreachable") : error.message);
  }

  /**
   * @param {Upload["phase"]} phase
   * @param {Problem | null} problem
   */
  #go(phase, problem) {
    this.phase = phase;
    this.problem = problem;
    if (phase === "sending") running.add(this);
    if (phase === "ready" || phase === "failed") running.delete(this);
    this.#tell();
  }
}

/** It is large, and most who come here send no file. @returns {Promise<Library>} */
async function library() {
  try {
    return await import(config.urls.uploads);
  } catch (error) {
    console.error(error);
    throw new Problem(0, "no_client", say("closed_no_client"));
  }
}
