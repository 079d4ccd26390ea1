import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ONE, settled, Stage, status, TWO } from './stage.js';

const subscribe = (id, since) => ({ action: 'subscribe', conversation_id: id, ...(since && { since }) });
const everything = (since) => ({ action: 'subscribe', scope: 'organization', ...(since && { since }) });
const offsets = (stage) => stage.of('status').map(({ offset }) => offset);

test('what was subscribed to before connecting is asked for once connected', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE.toUpperCase());
  stage.client.subscribe(TWO, { since: '7' });
  stage.client.subscribeOrganization();
  const line = await stage.connect();
  assert.deepEqual(line.of('subscribe'), [everything(), subscribe(ONE), subscribe(TWO, '7')]);
  line.agree();
  assert.deepEqual(stage.of('subscribed'), [
    { conversationId: null, offset: 'start', recovered: false },
    { conversationId: ONE, offset: 'start', recovered: false },
    { conversationId: TWO, offset: '7', recovered: true },
  ]);
});

test('nothing is asked before the server knows who asks', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  stage.client.connect();
  await settled();
  stage.line.open();
  stage.client.subscribe(TWO);
  assert.deepEqual(stage.line.of('subscribe'), []);
});

test('events arrive one by one and in batches, in order', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const line = await stage.connect();
  line.agree();
  line.say(status(ONE, '1'));
  line.say({ type: 'batch', events: [status(ONE, '2'), { ...status(ONE, '3'), type: 'message' }, status(ONE, '4')] });
  assert.deepEqual(
    stage.told.filter(([event]) => event === 'status' || event === 'message').map(([event, { offset }]) => [event, offset]),
    [['status', '1'], ['status', '2'], ['message', '3'], ['status', '4']],
  );
});

test('a conversation in which nothing happens goes on from the last pong', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  const line = await stage.connect();
  line.agree();
  stage.client.subscribe(TWO);
  line.say({ type: 'pong', offset: '8' });
  line.say({ type: 'pong', offset: null });
  line.end(1006);
  await stage.comeBack();
  // What was asked, and not yet answered, was not spoken of.
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '8'), subscribe(TWO)]);
});

test('after a reconnect each subscription goes on from the last offset it saw', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  stage.client.subscribe(TWO, { since: '3' });
  (await stage.connect()).agree();
  stage.line.say(status(ONE, '5'));
  stage.line.say(status(ONE, '6'));
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '6'), subscribe(TWO, '3')]);
  stage.line.agree();
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '6'), subscribe(TWO, '3')]);
  assert.deepEqual(stage.of('gap'), []);
});

test('one that saw no event goes on from where it began', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  (await stage.connect()).agree({ offset: '9' });
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '9')]);
});

test('subscriptions outlive disconnect()', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  (await stage.connect()).agree({ offset: '9' });
  stage.client.disconnect();
  await stage.connect();
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '9')]);
});

test('an event that comes twice is told once', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  stage.client.subscribeOrganization();
  (await stage.connect()).agree();
  const event = status(ONE, '1');
  stage.line.say(event);
  stage.line.say(event);
  stage.line.say({ type: 'batch', events: [event, status(TWO, '2'), status(TWO, '2')] });
  stage.line.end(1006);
  await stage.comeBack();
  stage.line.agree();
  stage.line.say(event);
  const nameless = { type: 'message', conversation_id: ONE, message_id: 'm', offset: '3' };
  stage.line.say(nameless);
  stage.line.say(nameless);
  assert.deepEqual(offsets(stage), ['1', '2']);
  assert.equal(stage.of('message').length, 1);
});

test('what it remembers is bounded', async () => {
  const stage = new Stage({ rememberedEvents: 3 });
  stage.client.subscribe(ONE);
  (await stage.connect()).agree();
  for (const offset of ['1', '2', '3', '4', '2', '3', '4', '1']) stage.line.say(status(ONE, offset));
  assert.deepEqual(offsets(stage), ['1', '2', '3', '4', '1']);
});

test('who asks for what was before gets it again', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  (await stage.connect()).agree({ offset: '0' });
  stage.line.say(status(ONE, '1'));
  stage.client.subscribe(ONE);
  assert.equal(stage.line.of('subscribe').length, 1);
  stage.client.subscribe(ONE, { since: '0' });
  stage.line.say(status(ONE, '2')); // of the subscription before: comes again after the answer
  stage.line.agree();
  stage.line.say({ type: 'batch', events: [status(ONE, '1'), status(ONE, '2')] });
  assert.deepEqual(offsets(stage), ['1', '1', '2']);
  stage.client.subscribe(TWO, { since: '0' });
  stage.line.agree();
  stage.line.say(status(ONE, '2'));
  assert.deepEqual(offsets(stage), ['1', '1', '2']);
});

test('a change of mind while an answer is on its way ends where it should', async () => {
  const stage = new Stage();
  const line = await stage.connect();
  stage.client.subscribe(ONE);
  stage.client.unsubscribe(ONE);
  stage.client.subscribe(ONE, { since: '5' });
  stage.client.unsubscribe(ONE);
  stage.client.subscribe(ONE, { since: '6' });
  assert.deepEqual(line.heard.slice(1), [subscribe(ONE)]);
  line.agree();
  assert.deepEqual(line.heard.slice(2), [subscribe(ONE, '6')]);
  line.say(status(ONE, '9'));
  assert.deepEqual(offsets(stage), []);
  line.agree();
  assert.equal(stage.of('subscribed').length, 1);
  stage.client.unsubscribe(ONE);
  assert.deepEqual(line.heard.at(-1), { action: 'unsubscribe', conversation_id: ONE });
  line.say(status(ONE, '10'));
  line.say({ type: 'unsubscribed', conversation_id: ONE });
  assert.deepEqual(offsets(stage), []);
  assert.equal(line.heard.length, 4);
});

test('the organization can be left again', async () => {
  const stage = new Stage();
  stage.client.subscribeOrganization({ since: '4' });
  const line = await stage.connect();
  line.agree();
  line.say(status(TWO, '5'));
  stage.client.unsubscribeOrganization();
  assert.deepEqual(line.heard.at(-1), { action: 'unsubscribe', scope: 'organization' });
  line.say({ type: 'unsubscribed', scope: 'organization' });
  line.say(status(TWO, '6'));
  assert.deepEqual(offsets(stage), ['5']);
  line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), []);
});

test('events of a conversation do not carry the organization past what it has not seen', async () => {
  const stage = new Stage();
  stage.client.subscribeOrganization({ since: '10' });
  stage.client.subscribe(ONE);
  (await stage.connect()).agree({ offset: '90' });
  stage.line.say(status(ONE, '91')); // live, while the organization is still being brought up
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), [everything('10'), subscribe(ONE, '91')]);
  stage.line.agree();
  stage.line.say(status(TWO, '11'));
  stage.line.end(1006);
  await stage.comeBack();
  assert.deepEqual(stage.line.of('subscribe'), [everything('11'), subscribe(ONE, '91')]);
  stage.line.agree();
  stage.line.say({ type: 'gap', scope: 'organization', offset: '95' }); // up to date again
  stage.line.say(status(ONE, '96'));
  stage.line.end(1006);
  await stage.comeBack();
  assert.equal(stage.line.of('subscribe')[0].since, '96');
});

test('a hundred are asked for at once, and more at the pace of the server', async () => {
  const stage = new Stage({ frameBurst: 100, framesPerSecond: 20 });
  for (let number = 0; number < 250; number += 1) stage.client.subscribe(`conversation-${number}`);
  const line = await stage.connect();
  assert.equal(line.heard.length, 100);
  stage.client.unsubscribe('conversation-240');
  await stage.clock.pass(1_000);
  assert.equal(line.heard.length, 120);
  await stage.clock.pass(9_000);
  assert.equal(line.of('subscribe').length, 249);
  assert.equal(line.of('unsubscribe').length, 0);
  line.agree();
  line.end(1006);
  await stage.comeBack();
  assert.equal(stage.line.heard.length, 100);
  stage.client.unsubscribe('conversation-249'); // it was not its turn yet: there is nothing to say
  await stage.clock.pass(9_000);
  assert.equal(stage.line.of('unsubscribe').length, 0);
  assert.equal(stage.line.of('subscribe').length, 248);
  stage.line.end(1006);
  await stage.comeBack();
  stage.client.disconnect();
  assert.equal(stage.clock.waiting, 0);
});

test('more than the server holds are refused here already', async () => {
  const stage = new Stage({ maxSubscriptions: 2 });
  stage.client.subscribe('a');
  stage.client.subscribe('b');
  stage.client.subscribe('c');
  stage.client.subscribe('a', { since: '1' });
  assert.deepEqual(stage.of('error').map(({ code, conversationId }) => [code, conversationId]), [
    ['too_many_subscriptions', 'c'],
  ]);
  assert.equal((await stage.connect()).of('subscribe').length, 2);
});

test('a handler that leaves in the middle of a batch hears no more, and the rest comes next time', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  stage.client.on('status', ({ offset }) => offset === '2' && stage.client.disconnect());
  (await stage.connect()).agree();
  stage.line.say({ type: 'batch', events: [status(ONE, '1'), status(ONE, '2'), status(ONE, '3')] });
  assert.deepEqual(offsets(stage), ['1', '2']);
  await stage.connect();
  assert.deepEqual(stage.line.of('subscribe'), [subscribe(ONE, '2')]);
});

test('what is newer than this client, or no frame at all, does no harm', async () => {
  const stage = new Stage();
  stage.client.subscribe(ONE);
  (await stage.connect()).agree();
  stage.line.say({ type: 'weather', is: 'fine' });
  stage.line.say('{');
  stage.line.say('null');
  stage.line.say({ type: 'batch', events: [null, 7, status(ONE, '1')] });
  assert.deepEqual(stage.of('error').map(({ code }) => code), ['bad_frame', 'bad_frame']);
  assert.deepEqual(offsets(stage), ['1']);
});
