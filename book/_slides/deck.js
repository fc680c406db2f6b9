/* Starts reveal.js on a screen that is wide enough, and gives a deck its own keys.

   Needs: asyncCourse.speaker.
   Gives: nothing; it listens.

   S opens the speaker's window, T changes between light and dark. */
((course) => {
  "use strict";
  const WIDE = matchMedia("(min-width: 40.01rem)");
  const THEME = "async-course:slides:theme";
  const slides = [...document.querySelectorAll(".slides > section")];

  function dress(theme) {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(THEME, theme);
    } catch {
      // This browser keeps nothing: the theme lasts as long as the page.
    }
  }

  function kept() {
    try {
      return localStorage.getItem(THEME);
    } catch {
      return null;
    }
  }

  const change = () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

  if (kept() === "dark") dress("dark");
  WIDE.addEventListener("change", () => location.reload());
  if (!WIDE.matches) return;

  const deck = new window.Reveal(document.querySelector(".reveal"), {
    width: 1024,
    height: 768,
    margin: 0,
    minScale: 0.1,
    maxScale: 4,
    center: false,
    hash: true,
    transition: "none",
    backgroundTransition: "none",
    controlsTutorial: false,
    slideNumber: "c/t",
    scrollActivationWidth: 0,
    help: false,
  });
  const at = () => slides.indexOf(deck.getCurrentSlide());
  const after = () => slides[at() + 1] ?? null;
  const moves = { next: () => deck.next(), back: () => deck.prev() };

  deck.addKeyBinding({ keyCode: 83, key: "S", description: "Speaker's window" }, () =>
    course.speaker.open(moves, deck.getCurrentSlide(), after()),
  );
  deck.addKeyBinding({ keyCode: 84, key: "T", description: "Light or dark" }, change);
  deck.on("slidechanged", ({ currentSlide }) => course.speaker.show(currentSlide, after()));
  deck.initialize();
})((window.asyncCourse ??= {}));
