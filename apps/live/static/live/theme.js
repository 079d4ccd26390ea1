// Runs before anything is painted, and so is no module: the page must not flash in the wrong colours.
(() => {
  const PLACE = "recado.theme";
  /** @returns {string | null} */
  const kept = () => {
    try {
      return localStorage.getItem(PLACE);
    } catch {
      return null;
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const wanted = kept();
    const isDark = wanted ? wanted === "dark" : dark.matches;
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    document.getElementById("theme")?.setAttribute("aria-pressed", String(isDark));
  };
  show();
  dark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", () => {
      const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try {
        // What the system says is followed again once it says the same.
        if ((next === "dark") === dark.matches) localStorage.removeItem(PLACE);
        else localStorage.setItem(PLACE, next);
      } catch {
        document.documentElement.dataset.theme = next;
        return;
      }
      show();
    });
  });
})();
