import assert from 'node:assert/strict';
import { test } from 'node:test';

import { send } from '../src/sending.js';
import { settled, StandingClock } from './stage.js';

/** A browser's request, as far as bodies need it. */
class Request {
  upload = {};
  headers = {};
  isAborted = false;

  constructor() {
    Request.last = this;
  }

  open(method, url) {
    this.opened = [method, url];
  }

  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  getResponseHeader(name) {
    return { 'Retry-After': '7' }[name] ?? null;
  }

  send(body) {
    this.body = body;
  }

  abort() {
    this.isAborted = true;
    this.onloadend();
  }

  goOn(loaded) {
    this.upload.onprogress({ loaded });
  }

  end(status, responseText) {
    Object.assign(this, { status, responseText });
    this.onload();
    this.onloadend();
  }
}

function sending({ signal = new AbortController().signal } = {}) {
  const clock = new StandingClock();
  const told = [];
  const headers = { 'Content-Type': 'a/b' };
  const what = { method: 'PUT', url: 'http://storage.test/x', headers, body: 'body', size: 100 };
  const answer = send({ ...what, onSent: (loaded) => told.push(loaded), signal }, {
    XMLHttpRequest: Request,
    clock,
    stalledAfterMs: 60_000,
  });
  answer.catch(() => {});
  return { answer, clock, told, request: Request.last };
}

test('it is told how much of a body is sent, and no more than there is', async () => {
  const { answer, clock, told, request } = sending();
  assert.deepEqual([request.opened, request.headers], [['PUT', 'http://storage.test/x'], { 'Content-Type': 'a/b' }]);
  request.goOn(40);
  request.goOn(130); // the form around it counts too
  request.end(201, 'yes');
  assert.deepEqual(await answer, { status: 201, text: 'yes', retryAfter: null });
  assert.deepEqual(told, [0, 40, 100, 100]);
  assert.equal(clock.waiting, 0);
});

test('a server that wants to be left alone says for how long', async () => {
  const { answer, request } = sending();
  request.end(429, '');
  assert.equal((await answer).retryAfter, '7');
});

test('a connection that breaks, or that the browser forbids, may be tried again', async () => {
  const { answer, request } = sending();
  request.onerror();
  request.onloadend();
  await assert.rejects(answer, { code: 'unreachable', mayPass: true, status: 0 });
});

test('a body of which nothing moves any more is given up', async () => {
  const { answer, clock, request } = sending();
  await clock.pass(59_000);
  request.goOn(40);
  await clock.pass(59_000);
  assert.equal(request.isAborted, false);
  await clock.pass(1_000);
  assert.equal(request.isAborted, true);
  await assert.rejects(answer, { code: 'unreachable' });
  assert.equal(clock.waiting, 0);
});

test('giving up ends the request, with the reason for it', async () => {
  const giving = new AbortController();
  const { answer, clock, request } = sending({ signal: giving.signal });
  giving.abort(new Error('changed my mind'));
  assert.equal(request.isAborted, true);
  await assert.rejects(answer, { message: 'changed my mind' });
  await settled();
  assert.equal(clock.waiting, 0);
});
