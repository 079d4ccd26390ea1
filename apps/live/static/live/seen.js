/** Waits until something comes into view: what nobody looks at is not loaded. */

/** @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap();

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    waiting.get(target)?.();
    waiting.delete(target);
  }
});

/**
 * Once; also when it comes into view only after it was taken away and put back.
 * @param {Element} node
 * @param {() => void} work
 */
export function whenSeen(node, work) {
  waiting.set(node, work);
  observer.observe(node);
}
