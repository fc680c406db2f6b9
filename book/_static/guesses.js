/* Draws the reader's guess into the figures of bench.figures, <figure data-axes data-guess="01/id">,
   and into timelines that a cell drew, <figure data-axis-max data-guess="01/id">.

   Needs: asyncCourse.elements, asyncCourse.units, asyncCourse.cards.
   Gives: nothing; it listens.

   bench/figures/drawing.py describes data-axes. Guesses come from the question cards, as
   `course:guess` events {id, value, unit}, or from asyncCourse.cards.guesses() when they were made
   before this script ran. */
((course) => {
  "use strict";
  const SCALE = { linear: (value) => value, log: Math.log };

  /** Where `value` stands on the axis, in the figure's units, and whether it lies beyond its ends. */
  function place(axes, value, [first, last], otherwise) {
    const { scale, at } = axes[axes.guess];
    const [[p0, v0], [p1, v1]] = at;
    const f = SCALE[scale];
    const wanted = p0 + ((p1 - p0) * (f(value) - f(v0))) / (f(v1) - f(v0));
    const within = Math.min(Math.max(wanted, first), last);
    const position = Number.isFinite(within) ? within : otherwise; // zero on a log axis: below
    return { position, beyond: !Number.isFinite(wanted) || Math.abs(position - wanted) > 0.5 };
  }

  const words = (value, unit, beyond) =>
    `your guess ${course.units.counted(value, unit)}${beyond ? ", beyond this axis" : ""}`;

  /** In a timeline x is in per cent: its `data-axis-max` seconds are 100. */
  function drawInTimeline(svg, most, value, unit) {
    const wanted = (100 * value) / (unit === "ms" ? 1000 : 1) / most;
    const x = `${Math.min(wanted, 100)}%`;
    const [anchor, away] = wanted > 50 ? ["end", -5] : ["start", 5];
    const y2 = svg.querySelector(".timeline-grid").getAttribute("y2");
    const draw = (name, look, attributes, text) =>
      course.elements.draw(svg, name, { class: `course-guess ${look}`, ...attributes }, text);
    draw("line", "timeline-guess", { x1: x, x2: x, y1: 4, y2 });
    draw(
      "text",
      "timeline-guess-text",
      { x, dx: away, y: 14, "text-anchor": anchor },
      words(value, unit, wanted > 100),
    );
  }

  function drawGuess(figure, value, unit) {
    const svg = figure.querySelector(".timeline-svg") ?? figure.querySelector("svg");
    for (const old of svg.querySelectorAll(".course-guess")) old.remove();
    if (value === null || !Number.isFinite(value)) return;
    if (figure.dataset.axisMax) {
      drawInTimeline(svg, Number(figure.dataset.axisMax), value, unit);
      return;
    }
    const axes = JSON.parse(figure.dataset.axes);
    const [left, top, right, bottom] = axes.plot;
    const upright = axes.guess === "x";
    const range = upright ? [left, right] : [top, bottom];
    const { position, beyond } = place(axes, value, range, upright ? left : bottom);
    // A guess about one bar crosses that bar alone; its words stand beside the bar's name.
    const row = axes.rows?.[figure.dataset.guessRow];
    const ends = upright
      ? { x1: position, x2: position, y1: row ? row - 9 : top, y2: row ? row + 11 : bottom }
      : { x1: left, x2: right, y1: position, y2: position };
    const draw = (name, attributes, text) =>
      course.elements.draw(svg, name, { class: "course-guess", ...attributes }, text);
    if (row) draw("line", { ...ends, stroke: "var(--pst-color-background, #fff)", "stroke-width": 6 });
    draw("line", { ...ends, stroke: "#CC79A7", "stroke-width": 2, "stroke-dasharray": "2 3" });
    const near = row || (upright && position > (left + right) / 2) ? "end" : "start";
    const beside = upright ? position + (near === "end" ? -4 : 4) : left + 4;
    const above = upright ? top + 12 : Math.max(position - 4, top + 12);
    draw(
      "text",
      {
        x: row ? right : beside,
        y: row ? row - 13 : above,
        "text-anchor": near,
        "font-size": 12,
        fill: "currentColor",
      },
      words(value, unit, beyond),
    );
  }

  function show({ id, value, unit }) {
    const figures = course.elements.all("figure:is([data-axes], [data-axis-max])[data-guess]");
    course.elements.each(
      figures.filter((figure) => figure.dataset.guess === id),
      (figure) => drawGuess(figure, value, unit),
    );
  }

  document.addEventListener("course:guess", (event) => show(event.detail));
  course.cards?.guesses().forEach(show);
})((window.asyncCourse ??= {}));
