/* Draws the reader's first guesses into the page of the seven answers, and writes them into its table.
   They come from the question cards (courseQuiz.read); nothing leaves the browser. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const PLACE = { // the same as log_place and guest_place in book/_ext/answers_figure.py
    log: (value) => (100 * Math.log(value / 0.05)) / Math.log(20 / 0.05),
    linear: (value) => (100 * value) / 66,
  };

  const first = (id) => window.courseQuiz?.read(id)[0]?.value;
  const one = (value, unit) => (value === 1 && unit.length > 2 ? unit.replace(/s$/, "") : unit);
  const words = (value, unit) => `${value} ${one(value, unit)}`;

  function add(parent, name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    parent.append(node);
    return node;
  }

  function draw(row) {
    row.querySelector(".answers-guess")?.remove();
    const value = first(row.dataset.question);
    if (typeof value !== "number") return "";
    const y = Number(row.dataset.y);
    const wanted = PLACE[row.dataset.scale](value);
    const place = Math.min(Math.max(Number.isFinite(wanted) ? wanted : 0, 0), 100);
    const beyond = Math.abs(place - wanted) > 0.5 || !Number.isFinite(wanted) ? ", beyond this axis" : "";
    const group = add(row, "g", { class: "answers-guess" });
    const x = `${place}%`;
    add(group, "line", { x1: x, x2: x, y1: y + 18, y2: y + 46 });
    // A nested svg, since the points of a path cannot be per cent.
    const mark = add(group, "svg", { x, y: y + 27, overflow: "visible", width: 1, height: 1 });
    add(mark, "path", { d: "M0-6L6 0L0 6L-6 0Z" });
    const end = place > 45;
    const said = `you: ${words(value, row.dataset.unit)}${beyond}`;
    add(group, "text", { x, dx: end ? -8 : 8, y: y + 50, "text-anchor": end ? "end" : "start" }, said);
    return `lesson ${Number(row.dataset.question.slice(0, 2))} ${words(value, row.dataset.unit)}`;
  }

  function show() {
    for (const svg of document.querySelectorAll(".answers-figure svg[role=img]")) {
      svg.dataset.label ??= svg.getAttribute("aria-label");
      const told = [...svg.querySelectorAll(".answers-row[data-question]")].map(draw).filter(Boolean);
      const guesses = told.length ? `. Your first guesses: ${told.join("; ")}` : "";
      svg.setAttribute("aria-label", svg.dataset.label + guesses);
    }
    for (const cell of document.querySelectorAll("[data-guess-of]")) {
      cell.dataset.empty ??= cell.textContent;
      const value = first(cell.dataset.guessOf);
      cell.textContent = typeof value === "number" ? words(value, cell.dataset.unit) : cell.dataset.empty;
    }
  }

  show();
  addEventListener("DOMContentLoaded", show);
  addEventListener("storage", show);
})();
