// Keeps the first page of the admin as it is at this moment, while somebody looks at it.
const SECONDS = 10;

async function refresh() {
  const before = document.getElementById("overview");
  // Whoever selects text, or is within it by keyboard, is not disturbed.
  if (!before || document.hidden || before.contains(document.activeElement) || String(getSelection())) return;
  try {
    const answer = await fetch(before.dataset.url, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const after = page.getElementById("overview");
    if (after) before.replaceWith(after);
  } catch {
    // The next one may get through; until then the page says as of when it is.
  }
}

setInterval(refresh, SECONDS * 1000);
