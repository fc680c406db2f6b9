/* What the buttons of a page's header do. Everything on the page is readable without this script.

   Needs: nothing (window.toggleFullScreen of the theme).
   Gives: nothing; it listens. */
(() => {
  "use strict";
  const root = document.documentElement;

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // a private window: forget it
    }
  }

  function recall(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  /** Each line becomes an element that knows its indentation: what is wrapped hangs below it. */
  function markLines(pre) {
    if (pre.dataset.lines) return;
    pre.dataset.lines = "marked";
    // oxlint-disable-next-line no-restricted-properties -- the page's own markup, cut into lines
    const lines = pre.innerHTML.replace(/\n$/, "").split("\n");
    const marked = lines.map((line) => {
      const indent = line.replace(/<[^>]*>/g, "").search(/\S|$/);
      return `<span class="code-line" style="--indent:${indent}">${line}\n</span>`;
    });
    // oxlint-disable-next-line no-restricted-properties -- the same markup
    pre.innerHTML = marked.join("");
  }

  function wrap(on, button) {
    if (on) document.querySelectorAll(".highlight pre").forEach(markLines);
    root.classList.toggle("wrap-code", on);
    button.setAttribute("aria-pressed", String(on));
  }

  const actions = {
    print: () => window.print(),
    fullscreen: () => window.toggleFullScreen(),
    wrap: (button) => {
      const on = !root.classList.contains("wrap-code");
      wrap(on, button);
      remember("course:wrap-code", on ? "yes" : "no");
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-page-action]");
    if (button) actions[button.dataset.pageAction](button);
  });

  const wrapButton = document.querySelector('[data-page-action="wrap"]');
  if (wrapButton && recall("course:wrap-code") === "yes") wrap(true, wrapButton);

  // Paper is white: light text of the dark theme would vanish on it.
  let theme;
  addEventListener("beforeprint", () => {
    ({ theme } = root.dataset);
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = theme;
  });

  // The theme's button changes its icon alone: say the state to those who do not see it.
  const switcher = document.querySelector(".theme-switch-button");
  const nameSwitcher = () =>
    switcher?.setAttribute("aria-label", `Colour theme: ${root.dataset.mode}`);
  new MutationObserver(nameSwitcher).observe(root, { attributeFilter: ["data-mode"] });
  nameSwitcher();
})();
