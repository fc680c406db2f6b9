// Draws the reader's guess into the figures of bench.figures: <figure data-axes data-guess="01/id">.
// labs/bench/figures/drawing.py describes data-axes. Guesses come from the question cards, as `course:guess` events
// {id, value, unit}, or from courseQuiz.guesses() when they were made before this script ran.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const SCALE = { linear: (v) => v, log: Math.log };

  function add(svg, name, attributes) {
    const node = document.createElementNS(SVG, name);
    node.setAttribute("class", "course-guess");
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
    return node;
  }

  function draw(figure, value, unit) {
    const svg = figure.querySelector("svg");
    svg.querySelectorAll(".course-guess").forEach((node) => node.remove());
    if (value === null || !Number.isFinite(value)) return;
    const axes = JSON.parse(figure.dataset.axes);
    const { scale, at: [[p0, v0], [p1, v1]] } = axes[axes.guess];
    const f = SCALE[scale];
    const [left, top, right, bottom] = axes.plot;
    const upright = axes.guess === "x";
    const [first, last] = upright ? [left, right] : [top, bottom];
    const wanted = p0 + ((p1 - p0) * (f(value) - f(v0))) / (f(v1) - f(v0));
    const place = Math.min(Math.max(wanted, first), last); // NaN and infinities of a log axis: below
    const position = Number.isFinite(place) ? place : upright ? left : bottom;
    const beyond = Math.abs(position - wanted) > 0.5 || !Number.isFinite(wanted);
    // A guess about one bar crosses that bar alone; its words stand beside the bar's name.
    const row = axes.rows && axes.rows[figure.dataset.guessRow];
    const ends = upright
      ? { x1: position, x2: position, y1: row ? row - 9 : top, y2: row ? row + 11 : bottom }
      : { x1: left, x2: right, y1: position, y2: position };
    if (row) add(svg, "line", { ...ends, stroke: "var(--pst-color-background, #fff)", "stroke-width": 6 });
    add(svg, "line", {
      ...ends, stroke: "#CC79A7", "stroke-width": 2, "stroke-dasharray": "2 3",
    });
    const near = row || (upright && position > (left + right) / 2) ? "end" : "start";
    const text = add(svg, "text", {
      x: row ? right : upright ? position + (near === "end" ? -4 : 4) : left + 4,
      y: row ? row - 13 : upright ? top + 12 : Math.max(position - 4, top + 12),
      "text-anchor": near,
      "font-size": 12, fill: "currentColor",
    });
    const name = value === 1 && unit.length > 2 ? unit.replace(/ies$/, "y").replace(/s$/, "") : unit;
    text.textContent = `your guess ${value} ${name}${beyond ? ", beyond this axis" : ""}`;
  }

  function show({ id, value, unit }) {
    document.querySelectorAll("figure[data-axes][data-guess]").forEach((figure) => {
      if (figure.dataset.guess === id) draw(figure, value, unit);
    });
  }

  document.addEventListener("course:guess", (event) => show(event.detail));
  if (window.courseQuiz) window.courseQuiz.guesses().forEach(show);
})();
