/** A clock that stands still, a server that says what the test says, and a client between them. */
import { ChatStatusClient } from '../src/chat-status-client.js';

export const NOON = Date.parse('2026-01-05T12:00:00Z');
export const ONE = '0190d0c0-0000-7000-8000-000000000001';
export const TWO = '0190d0c0-0000-7000-8000-000000000002';

/** Until everything that was promised has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class StandingClock {
  #now = NOON;
  #timers = new Map();
  #last = 0;

  now = () => this.#now;

  setTimeout = (run, ms) => {
    this.#timers.set(++this.#last, { run, at: this.#now + ms });
    return this.#last;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  get waiting() {
    return this.#timers.size;
  }

  async pass(ms) {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b);
      if (due.length === 0) break;
      const [timer, { run, at }] = due[0];
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, at);
      run();
      await settled();
    }
    this.#now = end;
  }
}

/** One socket as its server sees it. */
class Line {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  heard = [];

  constructor(url) {
    this.url = url;
  }

  send(text) {
    if (this.readyState !== 1) throw new Error('sent on a socket that is not open');
    this.heard.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  say(frame) {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  greet(more = {}) {
    this.open();
    this.say({ type: 'connected', epoch: 'e1', user_id: 'u', organization_id: 'o', expires_at: null, ...more });
  }

  end(code, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** What was said of one kind. */
  of(action) {
    return this.heard.filter((frame) => frame.action === action);
  }

  /** Says yes to whatever was subscribed to and has not been answered. */
  #answered = 0;
  agree({ offset, recovered } = {}) {
    const asked = this.of('subscribe');
    for (const { action, since, ...about } of asked.slice(this.#answered)) {
      this.say({ type: 'subscribed', ...about, offset: offset ?? since ?? 'start', recovered: recovered ?? since !== undefined });
    }
    this.#answered = asked.length;
  }
}

/** A page's window and document. */
export class FakePage extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  listening = 0;

  addEventListener(...how) {
    this.listening += 1;
    super.addEventListener(...how);
  }

  removeEventListener(...how) {
    this.listening -= 1;
    super.removeEventListener(...how);
  }

  go(type) {
    this.dispatchEvent(new Event(type));
  }

  show(visibilityState) {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
}

export class Stage {
  clock = new StandingClock();
  lines = [];
  told = [];
  tokens = [];
  /** What random() gives. */
  luck = 0.5;

  constructor(options = {}) {
    const stage = this;
    this.client = new ChatStatusClient({
      url: 'ws://recado.test/ws/status',
      getToken: async (ask) => {
        this.tokens.push(ask);
        return `token-${this.tokens.length}`;
      },
      clock: this.clock,
      random: () => this.luck,
      surroundings: null,
      WebSocket: class {
        constructor(url) {
          const line = new Line(url);
          stage.lines.push(line);
          return line;
        }
      },
      ...options,
    });
    for (const event of ['status', 'message', 'state', 'subscribed', 'gap', 'error']) {
      this.client.on(event, (payload) => this.told.push([event, payload]));
    }
  }

  /** The newest socket. */
  get line() {
    return this.lines.at(-1);
  }

  of(event) {
    return this.told.filter(([name]) => name === event).map(([, payload]) => payload);
  }

  get states() {
    return this.of('state').map(({ state }) => state);
  }

  /** Through to `connected`. */
  async connect(more) {
    this.client.connect();
    await settled();
    this.line.greet(more);
    return this.line;
  }

  /** Whatever wait there is, and in again. */
  async comeBack(more) {
    await this.clock.pass(this.client.state.retryInMs);
    this.line.greet(more);
    return this.line;
  }
}

let count = 0;
export function status(conversationId, offset, more = {}) {
  count += 1;
  return {
    type: 'status',
    message_id: `m${count}`,
    conversation_id: conversationId,
    organization_id: 'o',
    status: 'delivered',
    kind: 'delivered',
    at: '2026-01-05T12:00:00Z',
    offset,
    event_id: `e-${offset}`,
    attempt: 1,
    ...more,
  };
}
