import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { upload, UploadFailed } from '../src/uploads.js';
import { content, fileOf, hex, ID, MB, PART, partsSha256, Stage } from './files-stage.js';

const LARGE = content(17 * MB);
const part = (number) => LARGE.subarray((number - 1) * PART, number * PART);

let stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

/** What it failed with. */
async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'it did not fail' });
}

/** Until something is so that others make so. */
async function until(isSo) {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, String(isSo));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a small file goes through the server', async () => {
  const bytes = content(3 * MB);
  const metadata = await stage.send(fileOf(bytes, 'pão "de" queijo.pdf'));
  assert.deepEqual(metadata, { id: 'streamed', name: 'pão "de" queijo.pdf', size: 3 * MB });
  const [form] = stage.forms;
  assert.equal(form.sha256, hex(bytes));
  assert.equal(form.headers.authorization, 'Bearer token-1');
  assert.deepEqual(stage.asked, ['POST /v1/files']);
  assert.deepEqual(stage.phases, ['sending', 'ready']);
  assert.deepEqual(stage.told.at(-1), { loaded: 3 * MB, total: 3 * MB, phase: 'ready', uploadId: null });
});

test('a blob has the name that it is given', async () => {
  await stage.send(new Blob(['oi']), { name: 'recado.txt' });
  await stage.send(new Blob(['oi']));
  assert.deepEqual(stage.forms.map(({ name }) => name), ['recado.txt', 'file']);
});

test('a large file goes straight to the storage, with no token of ours', async () => {
  const metadata = await stage.send(fileOf(LARGE));
  assert.equal(metadata.id, ID);
  const inOrder = [...stage.storage.parts].sort(([a], [b]) => a - b);
  assert.equal(hex(Buffer.concat(inOrder.map(([, bytes]) => bytes))), hex(LARGE));
  assert.deepEqual(stage.completed, [{ parts_sha256: partsSha256(LARGE) }]);
  assert.ok(stage.storage.asked.every(({ headers }) => headers.authorization === undefined));
  assert.ok(stage.storage.asked.every(({ headers }) => headers['content-type'] === 'application/octet-stream'));
  assert.deepEqual(stage.phases, ['sending', 'checking', 'ready']);
  const sending = stage.told.filter(({ phase }) => phase === 'sending');
  assert.deepEqual(sending.at(-1), { loaded: LARGE.length, total: LARGE.length, phase: 'sending', uploadId: ID });
  assert.deepEqual(stage.forms, []);
});

test('four parts are on their way at once, and not more, begun in order', async () => {
  stage.storage.together = 4;
  await stage.send(fileOf(LARGE));
  assert.equal(stage.storage.mostAtOnce, 4);
  const order = stage.storage.asked.map(({ number }) => number);
  assert.deepEqual(order.slice(0, 4).sort(), [1, 2, 3, 4]);
  assert.deepEqual(order.slice(4, 8).sort(), [5, 6, 7, 8]);
  assert.deepEqual(order.slice(8), [9]);
});

test('a part that fails is sent again by itself', async () => {
  stage.storage.faults.set(2, [500]).set(5, [null]).set(9, [429, 503]);
  await stage.send(fileOf(LARGE));
  const times = (wanted) => stage.storage.asked.filter(({ number }) => number === wanted).length;
  assert.deepEqual([1, 2, 3, 5, 9].map(times), [1, 2, 1, 2, 3]);
  assert.equal(stage.completed[0].parts_sha256, partsSha256(LARGE));
});

test('a part that fails for good says by which id to go on', async () => {
  stage.storage.faults.set(4, Array(9).fill(500));
  const error = await failure(stage.send(fileOf(LARGE), { tries: 3 }));
  assert.ok(error instanceof UploadFailed);
  assert.deepEqual([error.code, error.status, error.uploadId], ['storage_refused', 500, ID]);
  assert.equal(stage.storage.asked.filter(({ number }) => number === 4).length, 3);
  assert.equal(stage.count('/abort'), 0);
});

test('a link that has expired is replaced once', async () => {
  stage.storage.faults.set(3, [403]);
  await stage.send(fileOf(LARGE));
  const [first, second] = stage.storage.asked.filter(({ number }) => number === 3);
  assert.notEqual(first.link, second.link);

  stage.upload.state = 'receiving';
  stage.storage.faults.set(3, [403, 403]);
  const error = await failure(stage.send(fileOf(LARGE)));
  assert.deepEqual([error.code, error.status], ['storage_refused', 403]);
});

test('parts that the storage lost are sent again', async () => {
  stage.missing = [2, 7];
  await stage.send(fileOf(LARGE));
  assert.deepEqual(stage.storage.asked.slice(9).map(({ number }) => number).sort(), [2, 7]);
  assert.equal(stage.completed.length, 2);
});

test('a file that is refused fails with the code of the server', async () => {
  stage.outcome = { state: 'refused', error: { code: 'wrong_checksum', detail: 'It is something else.' } };
  const error = await failure(stage.send(fileOf(LARGE)));
  assert.deepEqual([error.code, error.message, error.uploadId], ['wrong_checksum', 'It is something else.', null]);
});

test('giving up stops what is on its way, and tells the server', async () => {
  stage.storage.together = 100;
  const giving = new AbortController();
  const sending = failure(stage.send(fileOf(LARGE), { signal: giving.signal }));
  await until(() => stage.storage.asked.length === 4);
  giving.abort(new Error('changed my mind'));
  assert.equal((await sending).message, 'changed my mind');
  await until(() => stage.upload.state === 'aborted');
  assert.equal(stage.storage.asked.length, 4);
  assert.equal(stage.forms.length, 0);
});

test('what was given up before is not begun', async () => {
  const error = await failure(stage.send(fileOf(LARGE), { signal: AbortSignal.abort() }));
  assert.equal(error.name, 'AbortError');
  assert.deepEqual(stage.asked, []);
});

test('where the storage cannot be reached, the file goes through the server, once', async () => {
  stage.storageUrl = 'http://127.0.0.1:1';
  const metadata = await stage.send(fileOf(LARGE));
  assert.equal(metadata.id, 'streamed');
  assert.deepEqual(stage.forms.map(({ sha256 }) => sha256), [hex(LARGE)]);
  assert.equal(stage.upload.state, 'aborted');
  assert.ok(stage.asked.indexOf(`POST /v1/uploads/${ID}/abort`) < stage.asked.indexOf('POST /v1/files'));
});

test('a storage that was reached before is not given up for a connection that breaks', async () => {
  stage.announce(LARGE.length);
  stage.storage.parts.set(1, part(1));
  stage.storageUrl = 'http://127.0.0.1:1';
  const error = await failure(stage.send(fileOf(LARGE), { resume: ID, tries: 3 }));
  assert.deepEqual([error.code, error.uploadId], ['unreachable', ID]);
  assert.deepEqual(stage.forms, []);
});

test('an upload that broke off goes on with what is missing', async () => {
  stage.announce(LARGE.length);
  for (const number of [1, 3, 4]) stage.storage.parts.set(number, part(number));
  stage.storage.parts.set(2, LARGE.subarray(0, 10)); // not whole
  const metadata = await stage.send(fileOf(LARGE), { resume: ID });
  assert.equal(metadata.id, ID);
  assert.deepEqual(stage.storage.asked.map(({ number }) => number).sort(), [2, 5, 6, 7, 8, 9]);
  assert.deepEqual(stage.completed, [{ parts_sha256: partsSha256(LARGE) }]);
  assert.equal(stage.told.filter(({ phase }) => phase === 'sending').at(-1).loaded, LARGE.length);
  assert.equal((await stage.send(fileOf(LARGE), { resume: ID })).id, ID); // it is there
  assert.equal(stage.completed.length, 1);
});

test('another file does not go on with it', async () => {
  stage.announce(LARGE.length);
  const error = await failure(stage.send(fileOf(LARGE.subarray(1)), { resume: ID }));
  assert.equal(error.code, 'wrong_file');
  stage.upload.state = 'aborted';
  assert.equal((await failure(stage.send(fileOf(LARGE), { resume: ID }))).code, 'upload_ended');
});

test('a page that cannot hash sends through the server', async () => {
  await stage.send(fileOf(LARGE), { subtle: null });
  assert.deepEqual(stage.asked, ['POST /v1/files']);
  assert.equal((await failure(stage.send(fileOf(LARGE), { subtle: null, resume: ID }))).code, 'insecure_context');
});

test('a token that ends meanwhile is replaced', async () => {
  stage.refusedTokens.add('Bearer token-1').add('Bearer token-3');
  await stage.send(fileOf(LARGE));
  await stage.send(fileOf(Buffer.from('oi')));
  assert.deepEqual(stage.tokens[1], { refresh: true });
  assert.equal(stage.forms.length, 1);
});

test('a token that nothing replaces is the end', async () => {
  stage.refusedTokens.add('Bearer mine');
  const error = await failure(upload(fileOf(Buffer.from('oi')), { url: stage.url, token: 'mine' }));
  assert.equal(error.code, 'token_failed');
  assert.deepEqual(stage.asked, ['POST /v1/files']);
  await assert.rejects(upload(fileOf(Buffer.from('oi')), { url: stage.url }), TypeError);
});

test('a server that cannot be reached does not end what broke off before', async () => {
  const error = await failure(stage.send(fileOf(LARGE), { url: 'http://127.0.0.1:1', resume: ID, tries: 2 }));
  assert.deepEqual([error.code, error.uploadId], ['unreachable', ID]);
});

test('what the server refuses is not tried again', async () => {
  const error = await failure(stage.send(fileOf(LARGE), { resume: 'another' }));
  assert.deepEqual([error.code, error.status, error.uploadId], ['not_found', 404, null]);
  assert.equal(stage.asked.length, 1);
});

test('a handler that throws does not end the upload', async (context) => {
  const complained = context.mock.method(console, 'error', () => {});
  const onProgress = () => {
    throw new Error('no such element');
  };
  assert.equal((await stage.send(fileOf(Buffer.from('oi')), { onProgress })).id, 'streamed');
  assert.ok(complained.mock.callCount() > 0);
});
