/**
 * Why an upload failed: `code` for programs, the message for people. With an `uploadId`, what arrived is still there,
 * and `upload(file, { resume: uploadId })` goes on.
 */
export class UploadFailed extends Error {
  /** @type {string | null} */
  uploadId = null;
  /** In how many milliseconds the same may work, at the soonest. */
  retryAfterMs = 0;
  /**
   * @param {string} code
   * @param {string} detail
   * @param {{status?: number, said?: Record<string, any>, mayPass?: boolean, isOver?: boolean,
   *   cause?: unknown}} [about]
   */
  constructor(code, detail, { status = 0, said = {}, mayPass = false, isOver = false, cause } = {}) {
    super(detail, { cause });
    this.name = 'UploadFailed';
    this.code = code;
    /** Of the answer; 0 where there was none. */
    this.status = status;
    /** The whole of what the server said. */
    this.said = said;
    /** Whether the same may work a little later. */
    this.mayPass = mayPass;
    /** Whether there is nothing left to go on with. */
    this.isOver = isOver;
  }
}

/**
 * The answer of a server that refuses.
 * @param {import('./sending.js').Answer} answer
 * @returns {UploadFailed}
 */
export function refusal({ status, text, retryAfter }) {
  const said = parsed(text);
  const code = typeof said.code === 'string' ? said.code : 'refused';
  const detail = typeof said.detail === 'string' ? said.detail : `The server answered ${status}.`;
  const mayPass = passes(status) || code === 'idempotency_in_flight';
  const failed = new UploadFailed(code, detail, { status, said, mayPass });
  failed.retryAfterMs = (Number(retryAfter) || 0) * 1000;
  return failed;
}

/**
 * All but 507: room is made by people.
 * @param {number} status
 */
export function passes(status) {
  return status === 408 || status === 429 || (status >= 500 && status !== 507);
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 */
function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
