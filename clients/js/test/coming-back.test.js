import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakePage, settled, Stage } from './stage.js';

/** How long it waits after each of so many failures in a row. */
async function waits(stage, failures, code = 1006) {
  const all = [];
  for (let number = 0; number < failures; number += 1) {
    stage.line.end(code);
    all.push(stage.client.state.retryInMs);
    await stage.clock.pass(stage.client.state.retryInMs);
  }
  return all;
}

test('it waits a random time below a bound that doubles to twenty seconds', async () => {
  const stage = new Stage();
  stage.luck = 1;
  await stage.connect();
  assert.deepEqual(await waits(stage, 8), [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
  stage.luck = 0.25;
  assert.deepEqual(await waits(stage, 2), [5000, 5000]);
  stage.client.disconnect();
  await stage.connect();
  assert.deepEqual(await waits(stage, 1), [125]);
});

test('only a connection that held for a while makes the next wait short again', async () => {
  const stage = new Stage();
  stage.luck = 1;
  await stage.connect();
  await waits(stage, 4);
  stage.line.greet();
  await stage.clock.pass(19_999);
  stage.line.end(1006);
  assert.equal(stage.client.state.retryInMs, 8000);
  await stage.comeBack();
  await stage.clock.pass(20_000);
  stage.line.end(1006);
  assert.equal(stage.client.state.retryInMs, 500);
});

test('after too many frames it stays away for longer, whatever comes', async () => {
  const page = new FakePage();
  const stage = new Stage({ surroundings: page });
  stage.luck = 0;
  (await stage.connect()).end(4429, 'Too many sockets.');
  assert.deepEqual(stage.client.state, { state: 'waiting', reason: 'Too many sockets.', code: 4429, retryInMs: 20_000 });
  page.go('online');
  page.show('visible');
  stage.client.connect();
  await stage.clock.pass(19_999);
  assert.equal(stage.lines.length, 1);
  await stage.clock.pass(1);
  assert.equal(stage.lines.length, 2);
  stage.luck = 1;
  stage.line.end(4429);
  assert.equal(stage.client.state.retryInMs, 40_000);
});

test('after a restart everybody spreads over some seconds', async () => {
  const stage = new Stage();
  stage.luck = 1;
  (await stage.connect()).end(1012);
  assert.equal(stage.client.state.retryInMs, 3000);
  stage.luck = 0.1;
  await stage.comeBack();
  stage.line.end(1012);
  assert.equal(stage.client.state.retryInMs, 300);
});

test('every close but a few is a passing one', async () => {
  for (const code of [1000, 1001, 1006, 1009, 1011, 1013, 4408, 4999]) {
    const stage = new Stage();
    (await stage.connect()).end(code);
    assert.equal(stage.client.state.state, 'waiting', String(code));
    assert.equal(stage.client.state.code, code);
    await stage.comeBack();
    assert.equal(stage.client.state.state, 'connected', String(code));
  }
});

test('an origin that is not on the list stays out until somebody connects again', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settled();
  stage.line.open();
  stage.line.end(4403, 'This origin is not on the list.');
  await stage.clock.pass(600_000);
  assert.equal(stage.lines.length, 1);
  const { state, code, reason } = stage.client.state;
  assert.deepEqual([state, code, reason], ['closed', 4403, 'This origin is not on the list.']);
  await stage.connect();
  assert.equal(stage.client.state.state, 'connected');
});

test('connect() while waiting does not wait', async () => {
  const stage = new Stage();
  (await stage.connect()).end(1006);
  stage.client.connect();
  await settled();
  assert.equal(stage.lines.length, 2);
  await stage.clock.pass(5_000);
  assert.equal(stage.lines.length, 2);
});

test('the network or the person coming back ends the wait', async () => {
  for (const comeBack of [(page) => page.go('online'), (page) => page.show('visible')]) {
    const page = new FakePage();
    const stage = new Stage({ surroundings: page });
    (await stage.connect()).end(1006);
    page.go('offline');
    page.show('hidden');
    await settled();
    assert.equal(stage.lines.length, 1);
    comeBack(page);
    await settled();
    assert.equal(stage.lines.length, 2);
  }
});

test('a network that changed under a connection is found out at once', async () => {
  for (const change of ['online', 'offline']) {
    const page = new FakePage();
    const stage = new Stage({ surroundings: page });
    await stage.connect();
    page.go(change);
    page.go(change);
    assert.equal(stage.line.of('ping').length, 1);
    await stage.clock.pass(10_000);
    assert.equal(stage.states.at(-1), 'waiting');
  }
});

test('a closed client leaves the page alone', async () => {
  const page = new FakePage();
  const stage = new Stage({ surroundings: page });
  assert.equal(page.listening, 0);
  await stage.connect();
  assert.equal(page.listening, 2);
  stage.client.disconnect();
  assert.equal(page.listening, 0);
  page.go('online');
  page.show('visible');
  await stage.clock.pass(60_000);
  assert.equal(stage.lines.length, 1);
});

test('a ping goes out every 25 seconds and its answer is waited for', async () => {
  const stage = new Stage();
  const line = await stage.connect();
  for (let number = 1; number <= 3; number += 1) {
    await stage.clock.pass(24_999);
    assert.equal(line.of('ping').length, number - 1);
    await stage.clock.pass(1);
    assert.equal(line.of('ping').length, number);
    line.say({ type: 'pong', at: '2026-01-05T12:00:25Z' });
  }
  assert.equal(stage.client.state.state, 'connected');
});

test('without an answer the connection is dead after ten seconds', async () => {
  const stage = new Stage();
  await stage.connect();
  await stage.clock.pass(34_999);
  assert.equal(stage.client.state.state, 'connected');
  await stage.clock.pass(1);
  assert.deepEqual([stage.client.state.state, stage.client.state.reason], ['waiting', 'no answer to a ping']);
  assert.equal(stage.lines[0].readyState, 3);
  await stage.comeBack();
  assert.equal(stage.client.state.state, 'connected');
});

test('the answer to a ping may stand in line behind other frames', async () => {
  const stage = new Stage();
  const line = await stage.connect();
  await stage.clock.pass(26_000);
  line.say({ type: 'batch', events: [] });
  await stage.clock.pass(20_000);
  assert.equal(stage.client.state.state, 'connected');
});

test('a socket that is stuck in closing is given up as well', async () => {
  const stage = new Stage();
  const line = await stage.connect();
  line.readyState = 2;
  stage.client.subscribe('c');
  await stage.clock.pass(35_000);
  assert.equal(stage.client.state.state, 'waiting');
  assert.equal(line.heard.length, 1);
});

test('how often it pings can be chosen', async () => {
  const stage = new Stage({ pingIntervalMs: 5_000, pongTimeoutMs: 1_000 });
  await stage.connect();
  await stage.clock.pass(6_000);
  assert.equal(stage.client.state.state, 'waiting');
});

test('a socket that was left has nothing to say any more', async () => {
  const stage = new Stage();
  const first = await stage.connect();
  const late = first.onclose;
  await stage.clock.pass(35_000);
  const told = stage.told.length;
  late({ code: 4403, reason: '' });
  first.say({ type: 'status', conversation_id: 'c', offset: '1' });
  assert.equal(stage.told.length, told);
});
