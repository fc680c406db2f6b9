/* How many questions of a lesson are answered, and the way to forget the answers.

   Needs: asyncCourse.elements, asyncCourse.storage, asyncCourse.units.
   Gives: asyncCourse.progress = { show, actions, close, lost }. */
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
    panel.querySelector(".quiz-forget").hidden = !done;
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

  course.progress = { show, actions, close, lost };
})((window.asyncCourse ??= {}));
