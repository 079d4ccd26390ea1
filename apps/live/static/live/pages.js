/** A thread is read in pages: where its older messages are is known only where a page begins. */

/** @typedef {import("./types.js").Thread} Thread */

/**
 * As many as are kept, from where a page began: what is older is behind that page's link.
 * @param {Thread} thread
 * @param {number} most
 */
export function cutOldest(thread, most) {
  const surplus = thread.messages.length - most;
  const start = thread.messages.findIndex((each, n) => n >= surplus && thread.pages.has(each.id));
  if (start < 0) return;
  thread.messages = thread.messages.slice(start);
  thread.older = thread.pages.get(thread.messages[0]?.id ?? "") ?? null;
}

/**
 * Those that begin with a message that is no longer here.
 * @param {Thread} thread
 */
export function forgetPages(thread) {
  const here = new Set(thread.messages.map((each) => each.id));
  for (const id of thread.pages.keys()) if (!here.has(id)) thread.pages.delete(id);
}
