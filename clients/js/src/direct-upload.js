/** @import {FileMetadata, UploadSettings} from './types.js' */
/** @import {UploadApi} from './upload-api.js' */
import { Parts } from './parts.js';
import { pause } from './patience.js';
import { UploadFailed } from './upload-failed.js';

const AT_ONCE = 4;
/** How often parts that the storage does not have after all are sent again. */
const ROUNDS = 3;
/** The server reads all of it once more. */
const CHECK_MS = 30 * 60 * 1000;
const FIRST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 3_000;

/**
 * Straight to the storage, in parts of which four are on their way at once.
 * @param {Blob} file
 * @param {Record<string, any>} upload as the server tells of it
 * @param {boolean} isNew nothing of it can be there
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 * @param {SubtleCrypto} subtle
 * @returns {Promise<FileMetadata>}
 */
export async function uploadDirectly(file, upload, isNew, api, settings, subtle) {
  const total = file.size;
  /** @param {number} loaded */
  const onSent = (loaded) => settings.onProgress({ loaded, total, phase: 'sending', uploadId: upload.id });
  if (upload.state === 'receiving') {
    const parts = new Parts(file, upload, api, settings, subtle, onSent);
    if (!isNew) await parts.look();
    await bringAll(parts, upload, api, settings.signal);
  }
  settings.onProgress({ loaded: total, total, phase: 'checking', uploadId: upload.id });
  return checked(upload.id, api, settings);
}

/**
 * @param {Parts} parts
 * @param {Record<string, any>} upload
 * @param {UploadApi} api
 * @param {AbortSignal} signal
 */
async function bringAll(parts, upload, api, signal) {
  /** @type {number[]} */
  let missing = Array.from({ length: upload.part_count }, (_, index) => index + 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    await inOrder(missing, (number, ending) => parts.bring(number, ending), signal);
    missing = await complete(upload.id, parts, api);
    if (missing.length === 0) return;
    parts.forget(missing);
  }
  throw new UploadFailed('parts_missing', `The storage does not keep ${missing.length} parts though they were sent.`);
}

/**
 * Begun in order, four at a time. When one fails, nothing of the others goes on.
 * @param {number[]} numbers
 * @param {(number: number, signal: AbortSignal) => Promise<void>} work
 * @param {AbortSignal} signal
 */
async function inOrder(numbers, work, signal) {
  const ending = new AbortController();
  const giveUp = () => ending.abort(signal.reason);
  const left = numbers.values();
  const workThrough = async () => {
    try {
      for (const number of left) {
        ending.signal.throwIfAborted();
        await work(number, ending.signal);
      }
    } catch (error) {
      ending.abort(error);
    }
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', giveUp);
  await Promise.all(Array.from({ length: AT_ONCE }, workThrough));
  signal.removeEventListener('abort', giveUp);
  ending.signal.throwIfAborted();
}

/**
 * @param {string} id
 * @param {Parts} parts
 * @param {UploadApi} api
 * @returns {Promise<number[]>} the parts that the storage does not have
 */
async function complete(id, parts, api) {
  try {
    await api.post(`/v1/uploads/${id}/complete`, { parts_sha256: await parts.sha256() });
  } catch (error) {
    if (!(error instanceof UploadFailed)) throw error;
    if (error.code === 'parts_missing') return error.said.missing;
    // An earlier try was heard, though its answer was lost; or somebody aborted it, as will be seen.
    if (error.code !== 'upload_ended') throw error;
  }
  return [];
}

/**
 * @param {string} id
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 * @returns {Promise<FileMetadata>}
 */
async function checked(id, api, { clock, signal }) {
  const deadline = clock.now() + CHECK_MS;
  let wait = FIRST_LOOK_MS;
  let upload = await api.get(`/v1/uploads/${id}`);
  while (upload.state === 'verifying') {
    if (clock.now() > deadline) throw new UploadFailed('not_checked', 'It is all there, and still not checked.');
    await pause(wait, clock, signal);
    wait = Math.min(wait * 1.5, LONGEST_LOOK_MS);
    upload = await api.get(`/v1/uploads/${id}`);
  }
  if (upload.state === 'ready') return api.get(`/v1/files/${upload.file_id}`);
  const code = upload.error?.code ?? 'upload_ended';
  const detail = upload.error?.detail ?? `This upload is ${upload.state}. Begin a new one.`;
  throw new UploadFailed(code, detail, { isOver: true });
}
