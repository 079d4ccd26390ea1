import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ONE, settled, Stage, status, TWO } from './stage.js';

const about = (topic) => (topic === null ? { scope: 'organization' } : { conversation_id: topic });
const gap = (topic, offset) => ({ type: 'gap', ...about(topic), offset });
const refusal = (topic, code) => ({ type: 'error', code, detail: `${code}!`, ...about(topic) });

test('a gap is told once for each subscription and each loss', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE, { since: '1' });
  stage.client.subscribeOrganization({ since: '1' });
  (await stage.connect()).agree({ recovered: false });
  stage.line.say(gap(null, '50'));
  stage.line.say(gap(ONE, '50'));
  stage.line.say(gap(ONE, '50'));
  assert.deepEqual(stage.of('gap'), [
    { conversationId: null, offset: '50' },
    { conversationId: ONE, offset: '50' },
  ]);
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe').map(({ since }) => since), ['50', '50']);
  stage.line.agree({ recovered: false });
  stage.line.say(gap(null, '80'));
  stage.line.say(gap(ONE, '80'));
  assert.equal(stage.of('gap').length, 4);
});

test('a gap in the middle of a connection moves the offset', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  (await stage.connect()).agree();
  stage.line.say(status(ONE, '1'));
  stage.line.say(gap(ONE, 'other-life-0'));
  stage.line.say(gap(TWO, 'other-life-0'));
  stage.line.end(1006);
  await stage.comeBack();
  assert.equal(stage.line.of('subscribe')[0].since, 'other-life-0');
  assert.equal(stage.of('gap').length, 1);
});

test('a loss that the server could not tell before the connection broke is told by the next one', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE, { since: '1' });
  (await stage.connect()).agree({ recovered: false, offset: '9' });
  stage.line.end(1006);
  assert.equal(stage.of('gap').length, 0);
  await stage.comeBack();
  assert.equal(stage.line.of('subscribe')[0].since, '1');
  stage.line.agree({ recovered: false });
  stage.line.say(gap(ONE, '9'));
  assert.equal(stage.of('gap').length, 1);
});

test('one that never heard where it began has missed what came before it did', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  await stage.connect();
  stage.line.end(1006);
  stage.client.subscribe(TWO);
  await stage.comeBack();
  stage.line.agree({ offset: '30' });
  assert.deepEqual(stage.of('gap'), [{ conversationId: ONE, offset: '30' }]);
  stage.line.end(1006);
  await stage.comeBack();
  stage.line.agree({ offset: '31' });
  assert.equal(stage.of('gap').length, 1);
});

test('one that was never asked for has missed nothing', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  stage.client.connect();
  await settled();
  stage.line.end(1006);
  await stage.comeBack();
  stage.line.agree();
  assert.deepEqual(stage.of('gap'), []);
});

test('a conversation that is not there is dropped and told', async () => {
  for (const code of ['not_found', 'missing_scope', 'too_many_subscriptions']) {
    const stage = new Stage();
    stage.client.subscribe(ONE);
    await stage.connect();
    stage.line.say(refusal(ONE, code));
    assert.deepEqual(stage.of('error'), [{ code, detail: `${code}!`, conversationId: ONE }]);
    stage.line.end(1006);
    await stage.comeBack();
    assert.deepEqual(stage.line.of('subscribe'), [], code);
  }
});

test('the organization may be refused too', async () => {
  const stage = new Stage();
  stage.client.subscribeOrganization();
  await stage.connect();
  stage.line.say(refusal(null, 'missing_scope'));
  assert.deepEqual(stage.of('error'), [{ code: 'missing_scope', detail: 'missing_scope!', conversationId: null }]);
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), []);
});

test('what is unavailable is asked for again after longer and longer waits', async () => {
  const stage = new Stage();
  stage.luck = 1;
  stage.client.subscribe(ONE, { since: '3' });
  const line = await stage.connect();
  for (const [number, wait] of [500, 1000, 2000].entries()) {
    line.say(refusal(ONE, 'unavailable'));
    assert.equal(stage.of('error').at(-1).retryInMs, wait);
    await stage.clock.pass(wait - 1);
    assert.equal(line.of('subscribe').length, number + 1);
    await stage.clock.pass(1);
    assert.equal(line.of('subscribe').length, number + 2);
  }
  line.say({ type: 'subscribed', conversation_id: ONE, offset: '3', recovered: true });
  line.say(status(ONE, '4'));
  assert.equal(stage.of('status').length, 1);
  assert.equal(line.of('subscribe').at(-1).since, '3');
  line.end(1006);
  stage.luck = 0;
  await stage.comeBack();
  stage.luck = 1;
  stage.line.say(refusal(ONE, 'unavailable'));
  assert.equal(stage.of('error').at(-1).retryInMs, 500);
});

test('one that waits to be asked again is not asked twice after a reconnect, nor after it was left', async () => {
  const stage = new Stage({ healthyAfterMs: 1e9 });
  stage.luck = 1;
  stage.client.subscribe(ONE);
  stage.client.subscribe(TWO);
  await stage.connect();
  stage.line.say(refusal(ONE, 'unavailable'));
  stage.line.say(refusal(TWO, 'unavailable'));
  stage.client.unsubscribe(TWO);
  stage.luck = 0;
  stage.line.end(1006);
  await stage.comeBack();
  stage.line.agree();
  await stage.clock.pass(20_000);
  assert.deepEqual(stage.line.of('subscribe').map((frame) => frame.conversation_id), [ONE]);
  stage.luck = 1;
  stage.client.subscribe(TWO);
  stage.line.say(refusal(TWO, 'unavailable'));
  stage.client.subscribe(TWO, { since: '1' });
  stage.line.say(refusal(TWO, 'unavailable'));
  stage.client.unsubscribe(TWO);
  stage.client.disconnect();
  assert.equal(stage.clock.waiting, 0);
});

test('while it waits to be asked again, older events do not move its offset', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const line = await stage.connect();
  line.agree();
  stage.client.subscribe(ONE, { since: '3' });
  line.say(refusal(ONE, 'unavailable'));
  line.say(status(ONE, '9'));
  await stage.clock.pass(500);
  assert.equal(line.of('subscribe').at(-1).since, '3');
});

test('an offset that the server does not know costs a gap and not the subscription', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE, { since: 'nonsense' });
  const line = await stage.connect();
  line.say(refusal(ONE, 'bad_offset'));
  assert.deepEqual(line.of('subscribe').at(-1), { action: 'subscribe', conversation_id: ONE });
  line.say({ type: 'subscribed', conversation_id: ONE, offset: '40', recovered: false });
  assert.deepEqual(stage.of('gap'), [{ conversationId: ONE, offset: '40' }]);
  assert.equal(stage.of('error')[0].code, 'bad_offset');
});

test('a refusal that nobody waits for any more is not told', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const line = await stage.connect();
  stage.client.unsubscribe(ONE);
  line.say(refusal(ONE, 'not_found'));
  assert.deepEqual(stage.of('error'), []);
  assert.equal(line.heard.length, 2);
});

test('leaving that is refused is not tried for ever', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const line = await stage.connect();
  line.agree();
  stage.client.unsubscribe(ONE);
  line.say(refusal(ONE, 'unavailable'));
  await stage.clock.pass(20_000);
  assert.equal(line.of('unsubscribe').length, 1);
});

test('other errors of the server are told', async () => {
  const stage = new Stage();
  await stage.connect();
  stage.line.say({ type: 'error', code: 'bad_frame', detail: 'Send JSON.' });
  assert.deepEqual(stage.of('error'), [{ code: 'bad_frame', detail: 'Send JSON.', conversationId: null }]);
});

test('a handler that throws harms nobody and is told', async (t) => {
  const written = t.mock.method(console, 'error', () => {});
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const broken = new Error('no such element');
  const stop = stage.client.on('status', () => {
    throw broken;
  });
  const heard = [];
  stage.client.on('status', ({ offset }) => heard.push(offset));
  stage.client.on('state', async () => {
    throw broken;
  });
  (await stage.connect()).agree();
  stage.line.say(status(ONE, '1'));
  stop();
  stage.line.say(status(ONE, '2'));
  await settled();
  assert.deepEqual(heard, ['1', '2']);
  assert.equal(stage.of('status').length, 2);
  const errors = stage.of('error');
  assert.deepEqual(errors.map(({ code, error }) => [code, error]), Array(3).fill(['handler_failed', broken]));
  assert.equal(errors.filter(({ detail }) => detail === 'A handler of "status" failed: no such element').length, 1);
  assert.equal(written.mock.callCount(), 0);

  const failing = () => {
    throw broken;
  };
  stage.client.on('error', failing);
  stage.line.say({ type: 'error', code: 'bad_frame', detail: '' });
  assert.equal(written.mock.callCount(), 1);
  stage.client.off('error', failing);
  stage.line.say({ type: 'error', code: 'bad_frame', detail: '' });
  assert.equal(written.mock.callCount(), 1);
});

test('an error that nobody listens to is on the console', async (t) => {
  const written = t.mock.method(console, 'error', () => {});
  const { ChatStatusClient } = await import('../src/chat-status-client.js');
  const client = new ChatStatusClient({ url: 'ws://recado.test/', getToken: () => '', maxSubscriptions: 0 });
  client.subscribe(ONE);
  assert.equal(written.mock.calls[0].arguments[1].code, 'too_many_subscriptions');
});

test('what handlers set off is told in order to all of them', async () => {
  const stage = new Stage();
  const first = [];
  stage.client.on('state', ({ state }) => state === 'waiting' && stage.client.connect());
  stage.client.on('state', ({ state }) => first.push(state));
  await stage.connect();
  stage.line.end(1006);
  await settled();
  assert.deepEqual(first, ['connecting', 'connected', 'waiting', 'connecting']);
});
