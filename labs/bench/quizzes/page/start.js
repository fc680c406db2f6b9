/* Finds the cards and panels of a page, also those that a notebook shows later, and listens.

   Needs: asyncCourse.elements, asyncCourse.storage, asyncCourse.cards, asyncCourse.progress,
   asyncCourse.transfer.
   Gives: asyncCourse.quiz = { scan }.

   Cards and panels (bench/quizzes/cards.py) can be read without scripts. A card whose notebook is
   not trusted has lost its data; it stays as it is until its cell has run. */
((course) => {
  "use strict";
  if (course.quiz) {
    course.quiz.scan();
    return;
  }
  const { all, each } = course.elements;
  const { cards, progress, storage, transfer } = course;

  const CARDS = ".quiz[data-quiz]";
  const PROGRESS = ".quiz-progress[data-items]";
  const TRANSFER = ".quiz-transfer";
  const PANELS = `:is(${PROGRESS}, ${TRANSFER})`;
  const actions = { ...progress.actions, ...transfer.actions };

  const show = (panel) => (panel.matches(TRANSFER) ? transfer : progress).show(panel);

  function scan() {
    each(all(`${CARDS}:not([data-ready])`), cards.start);
    const fresh = all(`${PANELS}:not([data-ready])`);
    each(fresh, (panel) => {
      panel.dataset.ready = "";
      show(panel);
    });
    if (fresh.some((panel) => panel.matches(TRANSFER))) transfer.openLink();
  }

  storage.onChange(({ replaced }) => {
    each(all(`${CARDS}[data-ready]`), replaced ? cards.reset : cards.render);
    each(all(PANELS), show);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".quiz")) return;
    event.preventDefault();
    if (event.target.matches("[data-ready]")) cards.commit(event.target);
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      const card = event.target.matches?.("input") && event.target.closest(`${CARDS}[data-ready]`);
      if (!card) return;
      event.preventDefault();
      event.stopPropagation();
      cards.commit(card);
    },
    true, // first of all: JupyterLab takes Enter away from text fields
  );
  document.addEventListener("input", (event) => {
    const card = event.target.closest?.(`${CARDS}[data-ready]`);
    if (card) cards.typed(card, event.target);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do]");
    const panel = button?.closest(PANELS);
    if (panel) actions[button.dataset.do](panel);
  });
  document.addEventListener("change", (event) => {
    const panel = event.target.closest?.(TRANSFER);
    if (panel && event.target.type === "file" && event.target.files[0]) {
      transfer.openFile(panel, event.target);
    }
  });
  addEventListener("hashchange", transfer.openLink);
  addEventListener("DOMContentLoaded", scan);

  course.quiz = { scan };
  scan();
  let waiting = null; // notebooks show their cards when a cell has run
  new MutationObserver(() => {
    waiting ??= setTimeout(() => {
      waiting = null;
      scan();
    }, 50);
  }).observe(document.documentElement, { childList: true, subtree: true });
})((window.asyncCourse ??= {}));
