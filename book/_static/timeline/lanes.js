/* Draws a trace (labs/bench/traces/trace.py): figure, legend, table, moments, sentences.

   Needs: nothing.
   Gives: asyncCourse.lanes = { problemOf, figure, guessText, legend, table, moments, sentenceAt }.

   bench/traces/lanes.py and player.py have drawn the same once, when the page was built
   (tests/browser/test_timeline.py compares). What comes from a trace is escaped. */
((course) => {
  "use strict";
  if (course.lanes) return;

  // Written by `python -m bench.traces.looks`: what Python and this script both draw.
  const STATES = {
    running: "holds the loop",
    blocking: "blocks the loop",
    ready: "waits for the loop",
    database: "waits for the database",
    pool: "waits for a connection",
    thread: "waits for a thread",
    waiting: "waits",
  };
  const TILES = {
    running: '<rect width="8" height="8"/>',
    blocking: '<rect width="8" height="8" opacity=".3"/><path d="M0 0L8 8M8 0L0 8"/>',
    ready: '<rect width="8" height="8" opacity=".2"/>',
    database: '<rect width="8" height="8" opacity=".3"/><path d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>',
    pool: '<rect width="8" height="8" opacity=".3"/><path d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>',
    thread: '<path d="M2 0V8M6 0V8"/>',
    waiting: '<path d="M0 2H8M0 6H8"/>',
  };
  const LANE = 16; // px, as the next three
  const TALLEST = 480;
  const AXIS = 24;
  const SIMULATOR_PLOT = 320;
  const LONGEST = 14; // letters of a name
  const THINNEST = 0.001; // %
  const SHORT = 0.05; // s
  const CROSS = "✗";
  // End of what is written.

  const escape = (text) =>
    String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const fixed = (value, digits) =>
    (Math.floor(value * 10 ** digits + 0.5) / 10 ** digits).toFixed(digits);
  const seconds = (value, axis) =>
    axis < SHORT ? `${fixed(value * 1000, 3)} ms` : `${fixed(value, axis >= 1 ? 2 : 3)} s`;
  const endOf = (lane) => (lane.spans.length ? lane.spans[lane.spans.length - 1].to : 0);

  function ticks(axis) {
    const power = 10 ** Math.floor(Math.log10(axis / 5));
    const step = [1, 2, 5, 10].map((k) => power * k).find((one) => axis / one <= 5 + 1e-9);
    return Array.from({ length: Math.floor(axis / step + 1e-9) + 1 }, (_, k) => k * step);
  }
  const tickLabel = (value, step, axis) => {
    const [factor, unit] = axis < SHORT ? [1000, "ms"] : [1, "s"];
    const digits = Math.max(0, -Math.floor(Math.log10(step * factor) + 1e-9));
    return `${fixed(value * factor, digits)} ${unit}`;
  };

  /** What is wrong with a trace, in one sentence; an empty string when it can be drawn. */
  function problemOf(trace) {
    const isTime = (value) => typeof value === "number" && Number.isFinite(value);
    if (!trace || trace.schema !== "async-course/trace/1") return "it is not a trace of this course.";
    if (!isTime(trace.duration) || trace.duration <= 0) return "its duration is not a time above zero.";
    if (!Array.isArray(trace.lanes) || !trace.lanes.length) return "it has no lanes.";
    for (const lane of trace.lanes) {
      if (!lane || typeof lane.name !== "string" || !Array.isArray(lane.spans)) return "a lane has no spans.";
      let last = 0;
      for (const span of lane.spans) {
        if (!span || !(span.state in STATES)) return `${lane.name} has a span of an unknown state.`;
        if (!isTime(span.from) || !isTime(span.to) || span.from < last || span.to < span.from) {
          return `the spans of ${lane.name} do not follow one another.`;
        }
        last = span.to;
      }
      if (last > trace.duration) return `${lane.name} ends after the trace.`;
    }
    return "";
  }

  const statesOf = (trace) => {
    const used = new Set(trace.lanes.flatMap((lane) => lane.spans.map((span) => span.state)));
    return Object.keys(STATES).filter((state) => used.has(state));
  };
  const patterns = (states, key) =>
    states
      .map(
        (state) =>
          `<pattern id="${key}-${state}" class="timeline-${state}" width="8" height="8" ` +
          `patternUnits="userSpaceOnUse">${TILES[state]}</pattern>`,
      )
      .join("");

  /** "your guess 0.4 s" */
  function guessText(guess, axis) {
    const [factor, unit] = axis < SHORT ? [1000, "ms"] : [1, "s"];
    const shown = Number((guess * factor).toFixed(3));
    return `your guess ${Number.isInteger(shown) ? shown.toFixed(1) : shown} ${unit}`;
  }

  /** What only the script draws: the part that is not played yet, the moment, the guess. */
  function overlay(axis, top, bottom, guess) {
    const moment =
      `<rect class="timeline-later" y="${top}" height="${bottom - top}"></rect>` +
      `<line class="timeline-cursor" y1="${top - 4}" y2="${bottom + 4}"></line>`;
    if (guess === undefined) return moment;
    const at = `${fixed((100 * guess) / axis, 3)}%`;
    const [shift, anchor] = guess > axis / 2 ? [-5, "end"] : [5, "start"];
    return (
      `${moment}<line class="timeline-guess" x1="${at}" x2="${at}" y1="4" y2="${bottom + 4}"></line>` +
      `<text class="timeline-guess-text" x="${at}" dx="${shift}" y="14" text-anchor="${anchor}">` +
      `${guessText(guess, axis)}</text>`
    );
  }

  /** The SVG. `playable` adds what the script moves; `guess` is in seconds, undefined for none. */
  function figure(trace, { key, axis, top, simulator, guess, playable }) {
    const lanes = trace.lanes;
    const height = simulator ? SIMULATOR_PLOT : Math.min(LANE * lanes.length, TALLEST);
    const step = Math.min(simulator ? LANE + 4 : LANE, height / lanes.length);
    const every = Math.ceil(14 / step);
    const dense = step < 10; // no gaps and no borders: they would hide the patterns
    const bar = fixed(dense ? step : step - 3, 2);
    const x = (value) => `${fixed((100 * value) / axis, 3)}%`;
    const label = `Timeline of ${lanes.length} lanes over ${seconds(trace.duration, axis)}. ${trace.summary}`;
    let svg =
      `<svg class="timeline-svg${dense ? " timeline-dense" : ""}" role="img" aria-label="${escape(label)}" width="100%" ` +
      `height="${top + height + AXIS}"><defs>${patterns(statesOf(trace), key)}</defs>`;
    const marks = ticks(axis);
    for (const value of marks) {
      svg +=
        `<line class="timeline-grid" x1="${x(value)}" x2="${x(value)}" y1="${top}" y2="${top + height + 4}"></line>` +
        `<text x="${x(value)}" y="${top + height + 18}" text-anchor="middle">` +
        `${tickLabel(value, marks[1], axis)}</text>`;
    }
    lanes.forEach((lane, row) => {
      const y = top + row * step;
      if (row % every === 0) {
        const name = lane.name.length <= LONGEST ? lane.name : `${lane.name.slice(0, LONGEST - 1)}…`;
        svg += `<text class="timeline-name" x="-8" y="${fixed(y + step / 2 + 4, 2)}">${escape(name)}</text>`;
      }
      for (const span of lane.spans) {
        svg +=
          `<rect class="timeline-${span.state}" x="${x(span.from)}" y="${fixed(dense ? y : y + 1, 2)}" ` +
          `width="${fixed(Math.max((100 * (span.to - span.from)) / axis, THINNEST), 3)}%" height="${bar}" ` +
          `fill="url(#${key}-${span.state})"></rect>`;
      }
      if (lane.error) {
        svg += `<text class="timeline-error" x="${x(endOf(lane))}" dx="3" y="${fixed(y + step / 2 + 4, 2)}">${CROSS}</text>`;
      }
    });
    return `${svg}${playable ? overlay(axis, top, top + height, guess) : ""}</svg>`;
  }

  const legend = (trace, key) =>
    statesOf(trace)
      .map(
        (state) =>
          `<li><svg width="28" height="14" aria-hidden="true"><defs>${patterns([state], `${key}-key`)}</defs>` +
          `<rect class="timeline-${state}" x="1" y="1" width="26" height="12" ` +
          `fill="url(#${key}-key-${state})"></rect></svg> ${STATES[state]}</li>`,
      )
      .join("");

  function table(trace) {
    const states = statesOf(trace);
    const digits = trace.duration >= 1 ? 3 : 4;
    const rows = trace.lanes.map((lane) => {
      const within = (state) =>
        lane.spans.reduce((sum, one) => sum + (one.state === state ? one.to - one.from : 0), 0);
      const cells = [endOf(lane), ...states.map(within)].map((one) => `<td>${fixed(one, digits)}</td>`);
      const cross = lane.error ? ` ${CROSS} ${escape(lane.error)}` : "";
      return `<tr><th scope="row">${escape(lane.name)}${cross}</th>${cells.join("")}</tr>`;
    });
    const head = states.map((state) => `<th scope="col">${STATES[state]}</th>`).join("");
    return (
      "<caption>Seconds in each state</caption>" +
      `<thead><tr><th scope="col">lane</th><th scope="col">done at</th>${head}</tr></thead>` +
      `<tbody>${rows.join("")}</tbody>`
    );
  }

  /** Moments at which something changes; changes that no reader could see apart are one moment. */
  function moments(trace) {
    const all = trace.lanes.flatMap((lane) => lane.spans.flatMap((span) => [span.from, span.to]));
    const found = [0];
    for (const time of all.concat(trace.duration).sort((a, b) => a - b)) {
      const first = found.length === 1;
      if (time - found[found.length - 1] > trace.duration / 400) found.push(time);
      else if (!first) found[found.length - 1] = time;
    }
    return found;
  }

  function sentenceAt(trace, time, axis) {
    const count = {};
    let done = 0;
    let failed = 0;
    let later = 0;
    for (const lane of trace.lanes) {
      const span = lane.spans.find((one) => one.from <= time && time < one.to);
      if (span) count[span.state] = (count[span.state] || 0) + 1;
      else if (time >= endOf(lane) && lane.error) failed += 1;
      else if (time >= endOf(lane)) done += 1;
      else later += 1;
    }
    const total = trace.lanes.length;
    if (done === total) return `${seconds(time, axis)}: all ${total} done`;
    const said = Object.keys(STATES)
      .filter((state) => count[state])
      .map((state) => `${count[state]} ${count[state] === 1 ? STATES[state] : STATES[state].replace("s", "")}`);
    if (later) said.push(`${later} not there yet`);
    said.push(`${done} done`);
    if (failed) said.push(`${failed} with an error ${CROSS}`);
    return `${seconds(time, axis)}: ${said.join(", ")}`;
  }

  course.lanes = { problemOf, figure, guessText, legend, table, moments, sentenceAt };
})((window.asyncCourse ??= {}));
