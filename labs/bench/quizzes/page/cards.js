/* A question card: commit before the reply, keep the first answer, offer a second try.

   Needs: asyncCourse.elements, asyncCourse.numbers, asyncCourse.storage, asyncCourse.replies.
   Gives: asyncCourse.cards = { start, render, reset, commit, typed, guesses }.

   For other scripts, such as figures that draw the reader's guess:
   - When a number is first committed, `document` gets the event "course:guess" with
     detail {id: "01/one-word-def", value: 0.1, unit: "s"}. The value is the first answer, in the
     question's unit; a second try sends nothing.
   - Answers of an earlier visit are sent when the card appears, and once more when the page has
     loaded, so that a script that runs after this one hears them. The same guess may come twice.
   - A forgotten answer is sent with value null.
   - asyncCourse.cards.guesses() returns all guesses of this page as a list of such details. */
((course) => {
  "use strict";
  if (course.cards) return;
  const { all, make, tell } = course.elements;
  const { numbers, replies, storage } = course;

  const field = (card) => card.querySelector(".quiz-number input");
  const radios = (card) => all(".quiz-ask input[type=radio]", card);
  const confidence = (card) => all(".quiz-sure input", card);

  /** What the reader has chosen or typed: {value} or {problem}. */
  function chosen(card) {
    if (field(card)) return numbers.parse(field(card).value, card.dataset.unit);
    const radio = radios(card).find((one) => one.checked);
    if (radio) return { value: radio.value };
    return { problem: "Choose an answer first, even if it is a guess." };
  }

  /** The tries that are answers of this card, whether the question is over, whether it was found. */
  function state(card) {
    const wanted = field(card) ? "number" : "string";
    const tries = storage.read(card.dataset.quiz).filter(({ value }) => typeof value === wanted);
    const rights = tries.map(({ value }) => replies.isRight(card, value));
    return {
      tries: rights[0] ? tries.slice(0, 1) : tries,
      done: rights[0] || tries.length > 1,
      found: rights.includes(true),
    };
  }

  /** Shows what is stored: replies, marks at the options, what can still be done. */
  function render(card) {
    const { tries, done, found } = state(card);
    showReplies(card, tries, done, found);
    showMarks(card, tries, done);
    const button = card.querySelector(".quiz-commit");
    button.textContent = tries.length ? "Commit a second try" : "Commit to this answer";
    button.disabled = button.hidden = done;
    for (const set of all("fieldset", card)) {
      set.disabled = done || (tries.length > 0 && set.className === "quiz-sure");
    }
    card.querySelector(".quiz-all").hidden = !tries.length;
    announceFirst(card, tries[0]);
  }

  /** A first number gets a hint alone; the replies, which tell the answer, follow the second one. */
  function showReplies(card, tries, done, found) {
    const hinted = Boolean(field(card)) && !done;
    const wanted = tries.map(({ value, sure }, at) => [
      at ? "Second try" : "First answer",
      { value, sure, hinted },
    ]);
    if (done && !found) wanted.push([replies.RIGHT, { value: replies.rightValue(card) }]);
    const list = card.querySelector(".quiz-replies");
    const keys = wanted.map((one) => JSON.stringify(one));
    const stale = all(".quiz-reply", list).some(({ dataset }, at) => dataset.key !== keys[at]);
    if (stale) list.replaceChildren();
    for (const [at, one] of wanted.entries()) {
      if (list.children[at]) continue; // add what is new, so that only this is read aloud
      const box = replies.box(card, ...one);
      box.dataset.key = keys[at];
      list.append(box);
    }
  }

  function showMarks(card, tries, done) {
    all(".quiz-mark", card).forEach((mark) => mark.remove());
    for (const radio of radios(card)) {
      const marks = tries.flatMap(({ value }, at) =>
        value === radio.value ? [at ? "second try" : "first answer"] : [],
      );
      if (done && replies.isRight(card, radio.value)) marks.push("✓ right");
      if (marks.length) radio.closest("label").append(make("span", "quiz-mark", marks.join(" · ")));
    }
  }

  /** Brings a card to life, with the answers of an earlier visit. */
  function start(card) {
    card.dataset.ready = "";
    const { tries } = state(card);
    if (tries.length) { // otherwise the reader may have chosen something already
      const { value } = tries.at(-1);
      if (field(card)) field(card).value = String(value);
      for (const radio of radios(card)) radio.checked = radio.value === value;
      for (const radio of confidence(card)) radio.checked = radio.value === tries[0].sure;
    }
    render(card);
  }

  /** As `start`, after what the fields show may have been forgotten, or answered elsewhere. */
  function reset(card) {
    card.reset();
    for (const line of all(".quiz-message, .quiz-reading", card)) line.textContent = "";
    start(card);
  }

  function commit(card) {
    const { tries, done } = state(card);
    if (done) return;
    const { value, problem } = chosen(card);
    const again =
      tries.some((one) => one.value === value) &&
      "This is your first answer. Give another one, or open all answers below.";
    field(card)?.setAttribute("aria-invalid", String(Boolean(problem)));
    tell(card, problem || again || "");
    if (problem || again) {
      (field(card) ?? radios(card)[0]).focus();
      return;
    }
    const sure = confidence(card).find((radio) => radio.checked)?.value;
    storage.add(card.dataset.quiz, tries, value, tries.length ? undefined : sure);
    if (state(card).done) card.querySelector(".quiz-all summary").focus(); // the button is gone
  }

  /** The reader types into `input`, a control of the card: says how a number is read. */
  function typed(card, input) {
    tell(card, "");
    if (input !== field(card)) return;
    input.removeAttribute("aria-invalid");
    const { value } = numbers.parse(input.value, card.dataset.unit);
    const plain = value === undefined || String(value) === input.value.trim();
    const words = plain ? "" : `= ${replies.number(value, card.dataset.unit)}`;
    card.querySelector(".quiz-reading").textContent = words;
  }

  const guesses = new Map(); // question → detail of its event

  const announce = (detail) =>
    document.dispatchEvent(new CustomEvent("course:guess", { detail }));

  function announceFirst(card, first) {
    const { quiz: id, unit } = card.dataset;
    const value = (field(card) && first?.value) ?? null;
    if ((guesses.get(id)?.value ?? null) === value) return;
    if (value === null) guesses.delete(id);
    else guesses.set(id, { id, value, unit });
    announce({ id, value, unit });
  }

  addEventListener("DOMContentLoaded", () => guesses.forEach(announce));

  course.cards = { start, render, reset, commit, typed, guesses: () => [...guesses.values()] };
})((window.asyncCourse ??= {}));
