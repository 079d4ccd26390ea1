/** A server on loopback that takes files as Recado does, and a storage beside it that fails as a test wishes. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

import { upload } from '../src/uploads.js';

export const MB = 1024 * 1024;
export const PART = 2 * MB;
export const ID = '0190d0c0-0000-7000-8000-00000000f11e';

export const sha256 = (content) => createHash('sha256').update(content).digest();
export const hex = (content) => sha256(content).toString('hex');

/** Bytes of which no two parts are the same. */
export function content(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1024) bytes.writeUInt32LE(at / 1024 + 1, at);
  return bytes;
}

export function fileOf(bytes, name = 'festa.bin') {
  return new File([bytes], name);
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

class Listening {
  #server = createServer((request, response) => this.answer(request, response).catch(() => response.destroy()));

  async open() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Takes parts by PUT. */
class Storage extends Listening {
  parts = new Map();
  /** Every request, in the order in which they came. */
  asked = [];
  /** For each part what it is answered first: a status, or null to break the connection. */
  faults = new Map();
  /** When so many are on their way, they are answered; the last ones at once. */
  together = 1;
  mostAtOnce = 0;
  #waiting = [];
  expected = 0;

  async answer(request, response) {
    const number = Number(new URL(request.url, this.url).searchParams.get('part'));
    this.asked.push({ number, headers: request.headers, link: request.url });
    const bytes = await read(request);
    const [fault, ...more] = this.faults.get(number) ?? [];
    if (fault !== undefined) {
      this.faults.set(number, more);
      if (fault === null) response.destroy();
      else response.writeHead(fault).end();
      return;
    }
    await this.#turn();
    this.parts.set(number, bytes);
    response.writeHead(200).end();
  }

  async #turn() {
    const turn = new Promise((resolve) => this.#waiting.push(resolve));
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#waiting.length);
    const left = this.expected - this.parts.size;
    if (this.#waiting.length >= Math.min(this.together, left)) {
      // One that should not come would come now.
      setTimeout(() => this.#waiting.splice(0).forEach((go) => go()), 30);
    }
    await turn;
  }
}

/** Says what Recado says. */
export class Stage extends Listening {
  storage = new Storage();
  told = [];
  /** Every request: method and path. */
  asked = [];
  /** What came through the server. */
  forms = [];
  /** Bodies by which uploads were completed. */
  completed = [];
  tokens = [];
  refusedTokens = new Set();
  upload = { id: ID, way: 'direct', state: 'receiving', part_size: PART, file_id: null, error: null };
  /** What it becomes when it was looked at so often. */
  looks = 2;
  outcome = { state: 'ready', file_id: ID };
  /** Said once in place of an answer to `complete`. */
  missing = [];
  #links = 0;

  static async open() {
    const stage = await new Stage().open();
    await stage.storage.open();
    stage.storageUrl = stage.storage.url;
    return stage;
  }

  async close() {
    await super.close();
    await this.storage.close();
  }

  announce(size) {
    this.storage.expected = Math.max(1, Math.ceil(size / PART));
    Object.assign(this.upload, { size, part_count: this.storage.expected });
  }

  send(file, options = {}) {
    return upload(file, {
      url: this.url,
      getToken: async (ask) => {
        this.tokens.push(ask);
        return `token-${this.tokens.length}`;
      },
      onProgress: (progress) => this.told.push(progress),
      minBackoffMs: 1,
      ...options,
    });
  }

  get phases() {
    return [...new Set(this.told.map(({ phase }) => phase))];
  }

  /** Requests whose path ends so. */
  count(what) {
    return this.asked.filter((each) => each.endsWith(what)).length;
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, this.url);
    const what = `${request.method} ${pathname}`;
    this.asked.push(what);
    const say = (status, said) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(said));
    const bytes = await read(request);
    if (this.refusedTokens.has(request.headers.authorization)) {
      return say(401, { code: 'not_authenticated', detail: 'The token is not valid.' });
    }
    if (what === 'POST /v1/files') return say(201, await this.#take(request, bytes));
    const said = bytes.length > 0 ? JSON.parse(bytes) : {};
    if (what === 'POST /v1/uploads') {
      this.announce(said.size);
      return say(201, this.upload);
    }
    const [of, rest] = [`/v1/uploads/${ID}`, pathname.replace(`/v1/uploads/${ID}`, '')];
    if (what === `GET ${of}`) return say(200, this.#look());
    if (what === `GET ${of}/parts`) return say(200, { data: this.#arrived() });
    if (rest === '/parts') return say(200, { data: said.numbers.map((number) => this.#link(number)) });
    if (rest === '/complete') return this.#complete(said, say);
    if (rest === '/abort') return say(200, Object.assign(this.upload, { state: 'aborted' }));
    if (what === `GET /v1/files/${ID}`) return say(200, { id: ID, size: this.upload.size });
    return say(404, { code: 'not_found', detail: 'Not found.' });
  }

  async #take(request, bytes) {
    const { headers } = request;
    const form = await new Response(bytes, { headers: { 'Content-Type': headers['content-type'] } }).formData();
    const file = form.get('file');
    this.forms.push({ name: file.name, sha256: hex(Buffer.from(await file.arrayBuffer())), headers });
    return { id: 'streamed', name: file.name, size: file.size };
  }

  #look() {
    if (this.upload.state === 'verifying') {
      this.looks -= 1;
      if (this.looks <= 0) Object.assign(this.upload, this.outcome);
    }
    return this.upload;
  }

  #arrived() {
    return [...this.storage.parts].map(([number, bytes]) => ({ number, size: bytes.length }));
  }

  #link(number) {
    this.#links += 1;
    return { number, url: `${this.storageUrl}/bucket?part=${number}&signature=${this.#links}` };
  }

  #complete(said, say) {
    this.completed.push(said);
    if (this.missing.length > 0) {
      const missing = this.missing;
      this.missing = [];
      return say(409, { code: 'parts_missing', detail: 'Some are missing.', missing });
    }
    this.upload.state = 'verifying';
    return say(202, this.upload);
  }
}

/** As the server reckons it. */
export function partsSha256(bytes) {
  const digests = [];
  for (let at = 0; at < Math.max(1, bytes.length); at += PART) digests.push(sha256(bytes.subarray(at, at + PART)));
  return hex(Buffer.concat(digests));
}
