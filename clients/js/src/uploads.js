/** @import {FileMetadata, UploadOptions, UploadProgress, UploadSettings} from './types.js' */
import { uploadDirectly } from './direct-upload.js';
import { StorageUnreachable } from './parts.js';
import { REAL_CLOCK } from './settings.js';
import { uploadStreamed } from './streamed-upload.js';
import { randomKey, UploadApi } from './upload-api.js';
import { UploadFailed } from './upload-failed.js';

export { UploadFailed };

/** Larger ones go straight to the storage. */
const SMALL_BYTES = 16 * 1024 * 1024;

/**
 * Bring a file to Recado. A small one goes through the server; a larger one straight to its storage, in parts, or
 * through the server as well where the page cannot reach the storage, or is no secure context and cannot hash.
 *
 *     const { id } = await upload(input.files[0], {
 *       url: '/',
 *       getToken: ({ refresh }) => session.token(refresh),
 *       onProgress: ({ loaded, total, phase }) => paint(phase, loaded / total),
 *     });
 *
 * @param {Blob} file or a File, which has a name
 * @param {UploadOptions} options
 * @returns {Promise<FileMetadata>} rejects with UploadFailed, or with the reason of `signal`
 */
export async function upload(file, options) {
  const settings = settingsOf(options);
  const api = new UploadApi(options.url, settings);
  settings.signal.throwIfAborted();
  const metadata = await (settings.resume ? goOn(file, api, settings) : begin(file, api, settings));
  settings.onProgress({ loaded: file.size, total: file.size, phase: 'ready', uploadId: null });
  return metadata;
}

/**
 * @param {Blob} file
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 */
async function begin(file, api, settings) {
  const name = nameOf(file, settings);
  const { subtle } = settings;
  if (file.size <= SMALL_BYTES || !subtle) return uploadStreamed(file, name, api, settings);
  const wanted = { name, size: file.size };
  const begun = await api.post('/v1/uploads', wanted, { 'Idempotency-Key': randomKey() });
  return directly(file, begun, true, api, settings, subtle);
}

/**
 * @param {Blob} file
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 */
async function goOn(file, api, settings) {
  const { resume, subtle } = settings;
  if (!subtle) throw new UploadFailed('insecure_context', 'An upload can be resumed by a page at https:// only.');
  const begun = await api.get(`/v1/uploads/${encodeURIComponent(resume)}`).catch((error) => {
    if (error instanceof UploadFailed && error.mayPass) error.uploadId = resume;
    throw error;
  });
  if (begun.way !== 'direct') {
    throw new UploadFailed('not_resumable', 'This upload went through the server. Begin a new one.', { isOver: true });
  }
  if (begun.size !== file.size) {
    const detail = `This is another file: it has ${file.size} bytes, and the upload is of ${begun.size}.`;
    throw new UploadFailed('wrong_file', detail);
  }
  return directly(file, begun, false, api, settings, subtle);
}

/**
 * @param {Blob} file
 * @param {Record<string, any>} begun
 * @param {boolean} isNew
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 * @param {SubtleCrypto} subtle
 */
async function directly(file, begun, isNew, api, settings, subtle) {
  try {
    return await uploadDirectly(file, begun, isNew, api, settings, subtle);
  } catch (error) {
    if (settings.signal.aborted) {
      // Whoever gave it up does not wait for that.
      api.abort(begun.id);
    } else if (error instanceof StorageUnreachable) {
      await api.abort(begun.id);
      return uploadStreamed(file, nameOf(file, settings), api, settings);
    } else if (error instanceof UploadFailed && !error.isOver) {
      error.uploadId = begun.id;
    }
    throw error;
  }
}

/**
 * @param {Blob} file
 * @param {UploadSettings} settings
 */
function nameOf(file, settings) {
  return settings.name || ('name' in file && typeof file.name === 'string' && file.name) || 'file';
}

/**
 * What was not given, filled in.
 * @param {UploadOptions} options
 * @returns {UploadSettings}
 */
function settingsOf({ token, onProgress, ...options }) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if (typeof options.getToken !== 'function' && !token) throw new TypeError('Give a token, or a function getToken.');
  return {
    getToken: ({ refresh }) => (refresh ? Promise.reject(ended()) : (token ?? '')),
    signal: new AbortController().signal,
    resume: '',
    name: '',
    fetch: (...request) => globalThis.fetch(...request),
    XMLHttpRequest: options.fetch ? null : (globalThis.XMLHttpRequest ?? null),
    subtle: globalThis.crypto?.subtle ?? null,
    connectTimeoutMs: 30_000,
    stalledAfterMs: 120_000,
    minBackoffMs: 500,
    maxBackoffMs: 20_000,
    tries: 5,
    clock: REAL_CLOCK,
    random: Math.random,
    ...given,
    onProgress: told(onProgress),
  };
}

/**
 * What a handler throws does not end an upload, and is not lost.
 * @param {((progress: UploadProgress) => void) | undefined} onProgress
 * @returns {(progress: UploadProgress) => void}
 */
function told(onProgress) {
  return (progress) => {
    try {
      onProgress?.(progress);
    } catch (error) {
      console.error('Recado:', error);
    }
  };
}

function ended() {
  return Object.assign(new Error('The token is not valid, and there is no getToken to bring another.'), {
    terminal: true,
  });
}
