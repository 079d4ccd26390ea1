/** @import {FileMetadata, UploadSettings} from './types.js' */
/** @import {UploadApi} from './upload-api.js' */
import { patiently } from './patience.js';
import { send } from './sending.js';
import { randomKey } from './upload-api.js';

/**
 * As one form, through the server. However often it takes: the key makes sure that it is kept once.
 * @param {Blob} file
 * @param {string} name
 * @param {UploadApi} api
 * @param {UploadSettings} settings
 * @returns {Promise<FileMetadata>}
 */
export function uploadStreamed(file, name, api, settings) {
  const { onProgress, signal } = settings;
  const { size } = file;
  const key = randomKey();
  const body = new FormData();
  body.append('file', file, name);
  const form = { method: 'POST', url: api.url('/v1/files'), body, size, signal };
  /** @param {number} loaded */
  const onSent = (loaded) => onProgress({ loaded, total: size, phase: 'sending', uploadId: null });
  return patiently(
    () =>
      api.withToken((authorization) =>
        send({ ...form, headers: { ...authorization, 'Idempotency-Key': key }, onSent }, settings),
      ),
    settings,
  );
}
