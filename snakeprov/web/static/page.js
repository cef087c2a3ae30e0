// What makes the pages handier where scripts run: nothing depends on it. It sends nothing anywhere.

(() => {
  "use strict";

  const SHOWN_MS = 1500;

  // A button beside each command that copies it.
  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, SHOWN_MS);
    });
    command.append(button);
  }

  // "/" goes to the search.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, svg, [contenteditable]")) return;
    const search = document.querySelector("main input[type=search], header input[type=search]");
    if (search) { search.focus(); event.preventDefault(); }
  });
})();
