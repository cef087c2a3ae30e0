// What makes the pages handier where scripts run: nothing depends on it. It asks for nothing but the page that is open.

(() => {
  "use strict";

  const SHOWN_MS = 1500;

  const LIVE_MS = 5000;

  // A button that copies a text.
  function copier(text) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, SHOWN_MS);
    });
    return button;
  }

  function addCopiers() {
    if (!navigator.clipboard) return;
    for (const command of document.querySelectorAll(".command")) {
      command.append(copier(() => command.querySelector("code").textContent));
    }
    for (const area of document.querySelectorAll("textarea.copied")) area.after(copier(() => area.value));
  }
  addCopiers();

  // While something is running, the page is asked for again now and then, as long as somebody looks at it and does
  // nothing in it.
  async function renew() {
    const main = document.querySelector("main[data-live]");
    if (!main) return;
    const isIdle = !document.hidden && !main.contains(document.activeElement) && window.getSelection().isCollapsed;
    if (isIdle && !main.querySelector("details[open]")) {
      try {
        const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, redirect: "error" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
        if (answer.ok && page) {
          main.replaceWith(document.adoptNode(page));
          addCopiers();
        }
      } catch { /* The server is gone for now: what is shown stays. */ }
    }
    setTimeout(renew, LIVE_MS);
  }
  setTimeout(renew, LIVE_MS);

  // "/" goes to the search.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, svg, [contenteditable]")) return;
    const search = document.querySelector("main input[type=search], header input[type=search]");
    if (search) { search.focus(); event.preventDefault(); }
  });
})();
