/* Says below the entry check where the reader's first answers lead.

   Needs: asyncCourse.elements, asyncCourse.replies, asyncCourse.storage, asyncCourse.units.
   Gives: nothing; it listens. */
((course) => {
  "use strict";
  const { all, each } = course.elements;

  /** The sentence for the cards of this page; how many right answers are enough for lesson 3. */
  function told(cards, enough) {
    const first = cards.map((card) => [card, course.storage.read(card.dataset.quiz)[0]]);
    const given = first.filter(([, one]) => one);
    const every = course.units.counted(cards.length, "questions");
    if (!given.length) return "";
    if (given.length < cards.length) return `${given.length} of ${every} answered.`;
    const right = given.filter(([card, one]) => course.replies.isRight(card, one.value)).length;
    const lesson = right >= enough ? 3 : 1;
    return `${right} of ${every} right at the first try: begin with lesson ${lesson}.`;
  }

  function show() {
    each(all(".entry-route"), (place) => {
      place.textContent = told(all(".quiz[data-quiz]"), Number(place.dataset.enough));
    });
  }

  course.storage.onChange(show);
  show();
  addEventListener("DOMContentLoaded", show);
})((window.asyncCourse ??= {}));
