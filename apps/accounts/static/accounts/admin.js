// What unfold's markup lacks for those who use a keyboard or a screen reader. It opens its side bar and menus by
// clicks on plain elements, and writes its icons as words in a font.
addEventListener("DOMContentLoaded", () => {
  const search = document.getElementById("searchbar");
  document.getElementById("main")?.setAttribute("role", "main");
  document.getElementById("searchbar-submit")?.setAttribute("aria-label", search.placeholder);
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    icon.setAttribute("aria-hidden", "true");
  }
  for (const element of document.querySelectorAll("[x-on\\:click]")) {
    if (element.closest("a[href], button, input, label, summary")) continue;
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    if (element.getAttribute("x-on:click").includes("sidebarToggle")) {
      element.removeAttribute("aria-hidden");
      element.setAttribute("aria-label", "Menu");
    }
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
  }
});
