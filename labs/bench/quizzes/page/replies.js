/* Which reply of a card belongs to an answer, and how it is shown.

   Needs: asyncCourse.elements, asyncCourse.units.
   Gives: asyncCourse.replies = { box, of, isRight, number, RIGHT }. */
((course) => {
  "use strict";
  if (course.replies) return;
  const { all, make } = course.elements;

  const RIGHT = "The right answer";
  const SURE = { guess: "a guess", fairly: "fairly sure", certain: "certain" };

  /** "0.3 seconds", "1 thread": as cards.py writes the unit beside the field. */
  const number = (value, unit) => course.units.counted(value, unit === "s" ? "seconds" : unit);

  function within(value, spans) {
    return spans.split(" ").some((span) => {
      const [low, high] = span.split("..").map(Number);
      return low - 1e-9 <= value && value <= high + 1e-9;
    });
  }

  /** The list item that replies to `value`; undefined for an option that is gone. */
  function of(card, value) {
    return all(".quiz-all li", card).find(({ dataset }) =>
      typeof value === "number"
        ? dataset.ranges === undefined || within(value, dataset.ranges)
        : dataset.option === value,
    );
  }

  const isRight = (card, value) => Boolean(of(card, value)?.hasAttribute("data-right"));

  function answer(card, value) {
    if (typeof value === "number") return [number(value, card.dataset.unit)];
    const radio = all(".quiz-ask input[type=radio]", card).find((one) => one.value === value);
    if (!radio) return ["an answer that this question no longer offers"];
    return [...radio.nextElementSibling.cloneNode(true).childNodes];
  }

  /** A box with the answer, the verdict, the reply, and a link where the page has the experiment. */
  function box(card, title, value, sure) {
    const reply = of(card, value);
    const right = isRight(card, value);
    const made = make("div", "quiz-reply");
    made.toggleAttribute("data-right", right);
    made.append(
      make("p", "quiz-try", sure ? `${title} · ${SURE[sure]}` : title),
      make("p", "quiz-answer", ...answer(card, value)),
    );
    if (title !== RIGHT) {
      const verdict = right ? "✓ The experiment agrees." : "The experiment shows something else.";
      made.append(make("p", "quiz-verdict", verdict));
    }
    if (reply) made.append(reply.querySelector(".quiz-say").cloneNode(true));
    const cell = reply && `claim-${reply.dataset.claim}`;
    if (cell && document.getElementById(cell)) {
      const link = make("a", "", "Go to the experiment");
      link.href = `#${cell}`;
      made.append(make("p", "", link));
    }
    return made;
  }

  course.replies = { box, of, isRight, number, RIGHT };
})((window.asyncCourse ??= {}));
