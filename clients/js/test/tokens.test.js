import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled, Stage } from './stage.js';

test('a refused token is replaced by a fresh one', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settled();
  stage.line.open();
  stage.line.end(4401);
  assert.equal(stage.client.state.state, 'waiting');
  await stage.comeBack();
  assert.deepEqual(stage.tokens, [{ refresh: false }, { refresh: true }]);
  assert.equal(stage.line.heard[0].token, 'token-2');
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.tokens[2], { refresh: false });
});

test('a fresh token that is refused as well is the end', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settled();
  stage.line.end(4401);
  await stage.clock.pass(stage.client.state.retryInMs);
  stage.line.open();
  stage.line.end(4401, 'no longer a member');
  await stage.clock.pass(600_000);
  assert.equal(stage.lines.length, 2);
  assert.deepEqual([stage.client.state.state, stage.client.state.code], ['closed', 4401]);
  await stage.connect();
  assert.deepEqual(stage.tokens.at(-1), { refresh: true });
});

test('so is one that is let in and put out again at once', async () => {
  const stage = new Stage();
  (await stage.connect()).end(4401);
  await stage.comeBack();
  await stage.clock.pass(19_000);
  stage.line.end(4401);
  assert.equal(stage.client.state.state, 'closed');
});

test('a fresh token that was good for long may end like any other', async () => {
  const stage = new Stage();
  (await stage.connect()).end(4401);
  await stage.comeBack();
  await stage.clock.pass(20_000);
  stage.line.end(4401);
  assert.equal(stage.client.state.state, 'waiting');
});

test('a token is replaced over the open socket before it ends', async () => {
  const stage = new Stage();
  const line = await stage.connect({ expires_at: '2026-01-05T12:15:00Z' });
  for (let minute = 0; minute < 14; minute += 1) {
    assert.equal(line.of('authenticate').length, 1);
    await stage.clock.pass(30_000);
    line.say({ type: 'pong' });
    await stage.clock.pass(30_000);
    line.say({ type: 'pong' });
  }
  assert.deepEqual(line.of('authenticate').at(-1), { action: 'authenticate', token: 'token-2' });
  assert.deepEqual(stage.tokens.at(-1), { refresh: true });
  line.say({ type: 'connected', epoch: 'e1', expires_at: '2026-01-05T12:16:00Z' });
  await stage.clock.pass(30_000);
  line.say({ type: 'pong' });
  await stage.clock.pass(30_000);
  assert.equal(line.of('authenticate').length, 3);
  assert.equal(stage.lines.length, 1);
  assert.deepEqual(stage.states, ['connecting', 'connected']);
});

test('a refresh that fails is tried again, and the connection stays', async () => {
  let works = true;
  const stage = new Stage({
    getToken: async () => {
      if (!works) throw new Error('offline');
      return 'token';
    },
  });
  const line = await stage.connect({ expires_at: '2026-01-05T12:00:40Z' });
  works = false;
  await stage.clock.pass(20_000);
  assert.deepEqual(stage.of('error').map(({ code, detail }) => [code, detail]), [['token_failed', 'offline']]);
  assert.equal(stage.client.state.state, 'connected');
  works = true;
  await stage.clock.pass(5_250);
  assert.equal(line.of('authenticate').length, 2);
});

test('only the newest end of a token counts', async () => {
  const stage = new Stage();
  const line = await stage.connect({ expires_at: '2026-01-05T12:00:30Z' });
  line.say({ type: 'connected', epoch: 'e1', expires_at: '2026-01-05T13:00:00Z' });
  await stage.clock.pass(24_000);
  assert.equal(line.of('authenticate').length, 1);
});

test('clocks that disagree with the server cause no flood of tokens', async () => {
  const stage = new Stage();
  const line = await stage.connect({ expires_at: '2026-01-05T11:00:00Z' });
  await stage.clock.pass(24_000);
  assert.equal(line.of('authenticate').length, 1);
});

test('an end that is months away is waited for in pieces', async () => {
  const stage = new Stage({ pingIntervalMs: 1e12 });
  const line = await stage.connect({ expires_at: '2026-03-05T12:00:00Z' });
  await stage.clock.pass(58 * 24 * 3600 * 1000);
  assert.equal(line.of('authenticate').length, 1);
  await stage.clock.pass(24 * 3600 * 1000);
  assert.equal(line.of('authenticate').length, 2);
});

test('no token now means another try later', async () => {
  for (const getToken of [
    () => Promise.reject(new Error('offline')),
    () => {
      throw new Error('offline');
    },
    () => '',
    async () => undefined,
    () => 'x'.repeat(20_000),
    () => new Promise(() => {}),
  ]) {
    const stage = new Stage({ getToken });
    stage.client.connect();
    await stage.clock.pass(10_000);
    assert.ok(stage.states.includes('waiting'), String(getToken));
    assert.equal(stage.of('error')[0].code, 'token_failed');
    assert.equal(stage.lines.length, 0);
  }
});

test('a token that comes after it was given up is not used', async () => {
  const given = [];
  const stage = new Stage({ getToken: () => new Promise((resolve) => given.push(resolve)) });
  stage.client.connect();
  await stage.clock.pass(10_250);
  assert.equal(given.length, 2);
  given[0]('late');
  await settled();
  assert.equal(stage.lines.length, 0);
  given[1]('in time');
  await settled();
  stage.line.open();
  assert.equal(stage.line.heard[0].token, 'in time');
});

test('a person who is signed out for good is not asked again', async () => {
  let isSignedOut = false;
  const stage = new Stage({
    getToken: async () => {
      if (isSignedOut) throw Object.assign(new Error('signed out'), { terminal: true });
      return 'token';
    },
  });
  (await stage.connect()).end(4401);
  isSignedOut = true;
  await stage.clock.pass(600_000);
  assert.equal(stage.client.state.state, 'closed');
  assert.equal(stage.of('error').length, 1);
  assert.equal(stage.clock.waiting, 0);

  isSignedOut = false;
  await stage.connect({ expires_at: '2026-01-05T12:15:00Z' });
  isSignedOut = true;
  await stage.clock.pass(600_000);
  assert.equal(stage.client.state.state, 'closed');
});
