// A button with data-copy="id" copies the text of that field, and says so to those who see and those who hear.
for (const button of document.querySelectorAll("[data-copy]")) {
  const said = document.createElement("span");
  said.className = "copied";
  said.setAttribute("role", "status");
  button.after(said);
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    said.textContent = "";
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Browsers give the clipboard only to HTTPS and localhost; the old way works everywhere.
      if (!document.execCommand("copy")) return;
    }
    said.textContent = button.dataset.copied;
  });
}
