/* How many questions of a lesson are answered, and the way to forget the answers.

   Needs: asyncCourse.elements, asyncCourse.storage, asyncCourse.units.
   Gives: asyncCourse.progress = { show, showForgetting, actions, close, lost }. */
((course) => {
  "use strict";
  if (course.progress) return;
  const { all, tell } = course.elements;
  const { storage } = course;

  /** What to say where the browser keeps nothing; otherwise empty. */
  const lost = () =>
    storage.refuses()
      ? " This browser keeps no answers: they are gone when you leave the page."
      : "";

  function show(panel) {
    const ids = panel.dataset.items.split(" ").filter(Boolean);
    const done = ids.filter((id) => storage.read(id).length).length;
    const words = course.units.counted(ids.length, "questions");
    panel.querySelector(".quiz-count").textContent = `${done} of ${words} answered.${lost()}`;
    const bar = panel.querySelector("progress");
    bar.hidden = false;
    bar.value = done;
    showForgetting(panel, done > 0);
  }

  function showForgetting(panel, on) {
    const part = panel.querySelector(".quiz-forget");
    part.hidden = !on;
    part.style.display = ""; // cards.py hides it twice
  }

  /** Closes a panel's questions and says how it ended. */
  function close(panel, words) {
    for (const question of all(".quiz-question", panel)) question.hidden = true;
    tell(panel, words);
    panel.tabIndex = -1;
    panel.focus(); // the button that was pressed is gone
  }

  const actions = {
    "forget": (panel) => {
      const question = panel.querySelector(".quiz-forget .quiz-question");
      tell(panel, "");
      question.hidden = false;
      question.focus();
    },
    "forget-yes": (panel) => {
      storage.forget(panel.dataset.items?.split(" ") ?? storage.known());
      close(panel, "Forgotten.");
    },
    "forget-no": (panel) => {
      close(panel, "Your answers are kept.");
      panel.querySelector("[data-do=forget]").focus();
    },
  };

  course.progress = { show, showForgetting, actions, close, lost };
})((window.asyncCourse ??= {}));
