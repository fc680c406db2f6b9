/* Draws the reader's first guesses into the page of the seven answers, and writes them into its table.

   Needs: asyncCourse.elements, asyncCourse.storage, asyncCourse.units.
   Gives: nothing; it listens. */
((course) => {
  "use strict";
  const { all, draw, each } = course.elements;
  const PLACE = { // the same as log_place and guest_place in book/_ext/answers_figure.py
    log: (value) => (100 * Math.log(value / 0.05)) / Math.log(20 / 0.05),
    linear: (value) => (100 * value) / 66,
  };

  /** The first number that the reader gave to a question; undefined if there is none. */
  function first(question) {
    const value = course.storage.read(question)[0]?.value;
    return typeof value === "number" ? value : undefined;
  }

  /** Draws the guess of one row; returns what a screen reader says of it. */
  function drawRow(row) {
    row.querySelector(".answers-guess")?.remove();
    const { question, scale, unit, y } = row.dataset;
    const value = first(question);
    if (value === undefined) return "";
    const wanted = PLACE[scale](value);
    const place = Math.min(Math.max(Number.isFinite(wanted) ? wanted : 0, 0), 100);
    const beyond = !Number.isFinite(wanted) || Math.abs(place - wanted) > 0.5;
    const words = course.units.counted(value, unit);
    const [x, top, end] = [`${place}%`, Number(y), place > 45];
    const group = draw(row, "g", { class: "answers-guess" });
    draw(group, "line", { x1: x, x2: x, y1: top + 18, y2: top + 46 });
    // A nested svg, since the points of a path cannot be per cent.
    const mark = draw(group, "svg", { x, y: top + 27, overflow: "visible", width: 1, height: 1 });
    draw(mark, "path", { d: "M0-6L6 0L0 6L-6 0Z" });
    draw(
      group,
      "text",
      { x, dx: end ? -8 : 8, y: top + 50, "text-anchor": end ? "end" : "start" },
      `you: ${words}${beyond ? ", beyond this axis" : ""}`,
    );
    return `lesson ${Number(question.slice(0, 2))} ${words}`;
  }

  function show() {
    each(all(".answers-figure svg[role=img]"), (svg) => {
      svg.dataset.label ??= svg.getAttribute("aria-label");
      const told = all(".answers-row[data-question]", svg).map(drawRow).filter(Boolean);
      const guesses = told.length ? `. Your first guesses: ${told.join("; ")}` : "";
      svg.setAttribute("aria-label", svg.dataset.label + guesses);
    });
    each(all("[data-guess-of]"), (cell) => {
      cell.dataset.empty ??= cell.textContent;
      const value = first(cell.dataset.guessOf);
      const words = value === undefined ? "" : course.units.counted(value, cell.dataset.unit);
      cell.textContent = words || cell.dataset.empty;
    });
  }

  show();
  addEventListener("DOMContentLoaded", show);
  addEventListener("storage", show);
})((window.asyncCourse ??= {}));
