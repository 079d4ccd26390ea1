import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatStatusClient } from '../src/chat-status-client.js';
import { settled, Stage } from './stage.js';

test('the token travels in the first frame and never in the address', async () => {
  const stage = new Stage();
  stage.client.connect();
  assert.deepEqual(stage.states, ['connecting']);
  await settled();
  assert.equal(stage.line.url, 'ws://recado.test/ws/status?batch=1');
  assert.deepEqual(stage.line.heard, []);
  stage.line.open();
  assert.deepEqual(stage.line.heard, [{ action: 'authenticate', token: 'token-1' }]);
  assert.deepEqual(stage.states, ['connecting']);
  stage.line.say({ type: 'connected', epoch: 'e', user_id: null, organization_id: 'o', expires_at: null });
  assert.deepEqual(stage.states, ['connecting', 'connected']);
  assert.deepEqual(stage.tokens, [{ refresh: false }]);
});

test('http addresses and those relative to the page lead to the socket', async (t) => {
  const urls = async (url) => {
    const stage = new Stage({ url });
    await stage.connect();
    return stage.line.url;
  };
  assert.equal(await urls('https://recado.test/ws/status#top'), 'wss://recado.test/ws/status?batch=1');
  assert.equal(await urls(new URL('http://recado.test:8000/ws/status')), 'ws://recado.test:8000/ws/status?batch=1');
  assert.throws(() => new Stage({ url: '/ws/status' }), TypeError);
  assert.throws(() => new Stage({ url: 'ftp://recado.test/' }), TypeError);
  globalThis.location = { href: 'https://shop.test/orders/7' };
  t.after(() => delete globalThis.location);
  assert.equal(await urls('/ws/status'), 'wss://shop.test/ws/status?batch=1');
});

test('a client that cannot work is refused where it is made', () => {
  assert.throws(() => new ChatStatusClient({ url: 'ws://recado.test/' }), /getToken/);
  assert.throws(() => new Stage({ WebSocket: null }), /WebSocket/);
  const { client } = new Stage();
  assert.throws(() => client.on('statuses', () => {}), /There is no event statuses/);
  assert.throws(() => client.on('status', 'paint'), TypeError);
  assert.throws(() => client.subscribe(''), TypeError);
  assert.throws(() => client.subscribe('x'.repeat(101)), TypeError);
  assert.throws(() => client.subscribe('x', { since: 7 }), TypeError);
});

test('connect() while connecting or connected changes nothing', async () => {
  const stage = new Stage();
  stage.client.connect();
  stage.client.connect();
  await settled();
  stage.line.greet();
  stage.client.connect();
  await settled();
  assert.equal(stage.lines.length, 1);
  assert.deepEqual(stage.states, ['connecting', 'connected']);
  assert.equal(stage.clock.waiting, 2); // the next ping, and how long it holds
});

test('a socket that never gets an answer is given up, and tried again', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settled();
  stage.line.open();
  await stage.clock.pass(9_999);
  assert.deepEqual(stage.states, ['connecting']);
  await stage.clock.pass(1);
  assert.deepEqual(stage.states, ['connecting', 'waiting']);
  assert.equal(stage.lines[0].readyState, 3);
});

test('a socket that cannot even be made is told and tried again', async () => {
  const stage = new Stage({
    WebSocket: class {
      constructor() {
        throw new Error('insecure');
      }
    },
  });
  stage.client.connect();
  await settled();
  assert.equal(stage.client.state.state, 'waiting');
  assert.equal(stage.of('error')[0].code, 'no_socket');
});

test('disconnect() is final in every state until connect()', async () => {
  const everyState = {
    idle: async () => {},
    connecting: async ({ client }) => client.connect(),
    opening: async ({ client }) => {
      client.connect();
      await settled();
    },
    connected: async (stage) => stage.connect(),
    waiting: async (stage) => (await stage.connect()).end(1006),
    'about to refresh': async (stage) => {
      await stage.connect({ expires_at: '2026-01-05T12:01:40Z' });
    },
    refreshing: async (stage) => {
      await stage.connect({ expires_at: '2026-01-05T12:01:40Z' });
      await stage.clock.pass(50_000);
    },
  };
  for (const [name, arrive] of Object.entries(everyState)) {
    const stage = new Stage();
    await arrive(stage);
    const sockets = stage.lines.length;
    const tokens = stage.tokens.length;
    stage.client.disconnect();
    stage.client.disconnect();
    assert.equal(stage.client.state.state, name === 'idle' ? 'idle' : 'closed', name);
    const told = stage.told.length;
    stage.lines.at(-1)?.open();
    stage.lines.at(-1)?.end(1006);
    await stage.clock.pass(600_000);
    assert.equal(stage.lines.length, sockets, name);
    assert.ok(stage.tokens.length <= Math.max(tokens, 1), name);
    assert.equal(stage.told.length, told, name);
    assert.equal(stage.clock.waiting, 0, name);
    await stage.connect();
    assert.equal(stage.client.state.state, 'connected', name);
  }
});

test('a handler that disconnects has the last word', async () => {
  for (const last of ['connecting', 'connected', 'waiting']) {
    const stage = new Stage();
    stage.client.on('state', ({ state }) => state === last && stage.client.disconnect());
    await stage.connect().catch(() => {});
    stage.line?.end(1006);
    await stage.clock.pass(60_000);
    assert.equal(stage.states.at(-1), 'closed', last);
    assert.equal(stage.clock.waiting, 0, last);
  }
  const stage = new Stage({ getToken: () => Promise.reject(new Error('no')) });
  stage.client.on('error', () => stage.client.disconnect());
  stage.client.connect();
  await stage.clock.pass(60_000);
  assert.equal(stage.client.state.state, 'closed');
});
