// Keeps what is under way as it is at this moment; when it has ended, the page offers what can be done then.
const SECONDS = 1;

async function refresh() {
  const before = document.querySelector("[data-refresh]");
  if (!before) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(before.dataset.refresh, { credentials: "same-origin", redirect: "error" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const after = page.getElementById(before.id);
        if (after) {
          const hasTurned = after.dataset.state !== before.dataset.state;
          before.replaceWith(after);
          if (hasTurned) location.reload();
        }
      }
    } catch {
      // The next one may get through.
    }
  }
  setTimeout(refresh, SECONDS * 1000);
}

setTimeout(refresh, SECONDS * 1000);
