/* Which reply of a card belongs to an answer, and how it is shown.

   Needs: asyncCourse.elements, asyncCourse.units.
   Gives: asyncCourse.replies = { box, isRight, rightValue, number, RIGHT }. */
((course) => {
  "use strict";
  if (course.replies) return;
  const { all, make } = course.elements;

  const RIGHT = "The right answer";
  const UNKNOWN = "We know no belief that leads to this number.";
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
    return copy(radio.nextElementSibling);
  }

  const right = (card) => card.querySelector(".quiz-all [data-right]");

  /** The answer of the question: a number or an option's id. */
  const rightValue = (card) =>
    right(card).dataset.option ?? Number.parseFloat(right(card).textContent);

  /** What a first number would mean; the reply would tell the answer. */
  function hint(card, value) {
    const belief = of(card, value)?.querySelector(".quiz-belief");
    const meaning = belief
      ? make("p", "quiz-means", "It would follow from this belief: “", ...copy(belief), "”")
      : make("p", "quiz-means", UNKNOWN);
    const larger = value < rightValue(card) ? "a larger" : "a smaller";
    const words = `The experiment shows ${larger} number. Which one do you expect now?`;
    return [meaning, make("p", "quiz-verdict", words)];
  }

  const copy = (node) => [...node.cloneNode(true).childNodes];

  /**
   * A box with the answer, the verdict, the reply, and a link where the page has the experiment.
   * While the reader has a second try, `hinted`, a number gets a hint instead of all that.
   */
  function box(card, title, { value, sure, hinted }) {
    const reply = of(card, value);
    const good = isRight(card, value);
    const made = make("div", "quiz-reply");
    made.toggleAttribute("data-right", good);
    made.append(
      make("p", "quiz-try", sure ? `${title} · ${SURE[sure]}` : title),
      make("p", "quiz-answer", ...answer(card, value)),
    );
    if (hinted) {
      made.append(...hint(card, value));
      return made;
    }
    if (title !== RIGHT) {
      const verdict = good ? "✓ The experiment agrees." : "The experiment shows something else.";
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

  course.replies = { box, isRight, rightValue, number, RIGHT };
})((window.asyncCourse ??= {}));
