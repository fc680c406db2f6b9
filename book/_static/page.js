// What the buttons of a page's header do. Everything on the page is readable without this script.
(function () {
  "use strict";
  var root = document.documentElement;

  function remember(key, value) {
    try { localStorage.setItem(key, value); } catch (blocked) { /* private window: forget it */ }
  }

  function recall(key) {
    try { return localStorage.getItem(key); } catch (blocked) { return null; }
  }

  // Each line becomes an element that knows its indentation, so that what is wrapped hangs below it.
  function markLines(pre) {
    if (pre.dataset.lines) return;
    pre.dataset.lines = "marked";
    var lines = pre.innerHTML.replace(/\n$/, "").split("\n");
    pre.innerHTML = lines.map(function (line) {
      var indent = line.replace(/<[^>]*>/g, "").search(/\S|$/);
      return '<span class="code-line" style="--indent:' + indent + '">' + line + "\n</span>";
    }).join("");
  }

  function wrap(on, button) {
    if (on) document.querySelectorAll(".highlight pre").forEach(markLines);
    root.classList.toggle("wrap-code", on);
    button.setAttribute("aria-pressed", String(on));
  }

  var actions = {
    print: function () { window.print(); },
    fullscreen: function () { window.toggleFullScreen(); },
    wrap: function (button) {
      var on = !root.classList.contains("wrap-code");
      wrap(on, button);
      remember("course:wrap-code", on ? "yes" : "no");
    }
  };

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-page-action]");
    if (button) actions[button.dataset.pageAction](button);
  });

  var wrapButton = document.querySelector('[data-page-action="wrap"]');
  if (wrapButton && recall("course:wrap-code") === "yes") wrap(true, wrapButton);

  // Paper is white: light text of the dark theme would vanish on it.
  var theme;
  window.addEventListener("beforeprint", function () {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", function () { root.dataset.theme = theme; });

  // The theme's button changes its icon alone: say the state to those who do not see it.
  var switcher = document.querySelector(".theme-switch-button");
  function nameSwitcher() {
    if (switcher) switcher.setAttribute("aria-label", "Colour theme: " + root.dataset.mode);
  }
  new MutationObserver(nameSwitcher).observe(root, { attributeFilter: ["data-mode"] });
  nameSwitcher();
})();
