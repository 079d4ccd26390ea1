/** @import {UploadSettings} from './types.js' */
/** @import {UploadApi} from './upload-api.js' */
import { patiently } from './patience.js';
import { send } from './sending.js';
import { passes, UploadFailed } from './upload-failed.js';

const DIGEST_BYTES = 32;
/** A storage that never answered is not tried more often than this: perhaps it does not allow this page. */
const SILENT_TRIES = 2;
/** In which an S3 says, with a 400, that a connection was too slow. */
const TOO_SLOW = '<Code>RequestTimeout</Code>';

/** This page cannot reach the storage at all. */
export class StorageUnreachable extends Error {}

/** The parts of one file: each is read once, hashed, and put by a link of its own until it is there. */
export class Parts {
  #file;
  #path;
  #partSize;
  #api;
  #settings;
  #subtle;
  #onSent;
  /** Of all parts, one after the other. */
  #digests;
  /** Those that arrived before. */
  #there = new Set();
  /** Bytes that are there, by part: one that is sent again begins again. */
  #sent = new Map();
  #isReached = false;

  /**
   * @param {Blob} file
   * @param {Record<string, any>} upload as the server tells of it
   * @param {UploadApi} api
   * @param {UploadSettings} settings
   * @param {SubtleCrypto} subtle
   * @param {(loaded: number) => void} onSent
   */
  constructor(file, upload, api, settings, subtle, onSent) {
    this.#file = file;
    this.#path = `/v1/uploads/${upload.id}/parts`;
    this.#partSize = upload.part_size;
    this.#api = api;
    this.#settings = settings;
    this.#subtle = subtle;
    this.#onSent = onSent;
    this.#digests = new Uint8Array(DIGEST_BYTES * upload.part_count);
  }

  /** Find out what arrived before. */
  async look() {
    const { data } = await this.#api.get(this.#path);
    for (const { number, size } of data) {
      if (size === this.#slice(number).size) this.#isThere(number, size);
    }
    this.#isReached = data.length > 0;
  }

  /** @param {number[]} missing though they were sent */
  forget(missing) {
    for (const number of missing) this.#there.delete(number);
  }

  /**
   * @param {number} number
   * @param {AbortSignal} signal
   */
  async bring(number, signal) {
    const content = await this.#read(number);
    const digest = await this.#subtle.digest('SHA-256', content);
    this.#digests.set(new Uint8Array(digest), DIGEST_BYTES * (number - 1));
    if (this.#there.has(number)) return;
    const tries = { silent: 0, refused: 0 };
    await patiently(() => this.#put(number, content, tries, signal), this.#settings, signal);
    this.#isThere(number, content.byteLength);
  }

  /** The SHA-256 of the SHA-256s of all parts, in hexadecimal. */
  async sha256() {
    const digest = await this.#subtle.digest('SHA-256', this.#digests);
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /**
   * Each try has a link of its own: one that has expired is refused, and so is replaced once.
   * @param {number} number
   * @param {ArrayBuffer} body
   * @param {{silent: number, refused: number}} tries
   * @param {AbortSignal} signal
   */
  async #put(number, body, tries, signal) {
    const { data } = await this.#api.once(this.#path, { numbers: [number] });
    const headers = { 'Content-Type': 'application/octet-stream' };
    /** @param {number} loaded */
    const onSent = (loaded) => this.#tell(number, loaded);
    const part = { method: 'PUT', url: data[0].url, headers, body, size: body.byteLength, onSent, signal };
    const { status, text } = await send(part, this.#settings).catch((error) => {
      tries.silent += 1;
      if (signal.aborted || this.#isReached || tries.silent < SILENT_TRIES) throw error;
      throw new StorageUnreachable(error.message, { cause: error });
    });
    this.#isReached = true;
    if (status >= 200 && status < 300) return;
    if (status === 403) tries.refused += 1;
    const mayPass = passes(status) || tries.refused === 1 || text.includes(TOO_SLOW);
    throw new UploadFailed('storage_refused', `The storage does not take part ${number} (${status}).`, {
      status,
      mayPass,
    });
  }

  /** @param {number} number */
  async #read(number) {
    try {
      return await this.#slice(number).arrayBuffer();
    } catch (cause) {
      throw new UploadFailed('unreadable', 'The file cannot be read: it was changed, moved or removed.', { cause });
    }
  }

  /** @param {number} number */
  #slice(number) {
    return this.#file.slice((number - 1) * this.#partSize, number * this.#partSize);
  }

  /**
   * @param {number} number
   * @param {number} size
   */
  #isThere(number, size) {
    this.#there.add(number);
    this.#tell(number, size);
  }

  /**
   * @param {number} number
   * @param {number} loaded
   */
  #tell(number, loaded) {
    this.#sent.set(number, loaded);
    this.#onSent([...this.#sent.values()].reduce((sum, each) => sum + each, 0));
  }
}
