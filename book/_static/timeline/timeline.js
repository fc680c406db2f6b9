// <async-timeline>: plays a trace (labs/bench/traces/trace.py) that stands in the page.
//
// labs/bench/traces (player.py, lanes.py) has written all that a reader needs: summary,
// figure, table. This script makes the controls work, draws the reader's guess, and draws the figure
// again when the time axis must grow or the simulator has a new result. Where both draw, they draw
// the same (tests/browser/test_timeline.py compares). A trace that cannot be read leaves the figure as it is.
//
// The reader's guesses arrive as `course:guess` events on document: {id, value, unit: "s" or "ms"}.
(function () {
  "use strict";

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
  const PLAY_SECONDS = 5; // for the whole axis, so that figures that share an axis play alike
  const PLAY_STEPS = 10; // instead, when the reader asked for less motion

  // ---------------------------------------------------------------- words and numbers

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

  // ---------------------------------------------------------------- drawing

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

  function figure(trace, { key, axis, top, simulator }) {
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
    return `${svg}</svg>`;
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

  // ---------------------------------------------------------------- guesses and shared axes

  const guesses = new Map(); // quiz id → seconds
  const elements = new Set();
  document.addEventListener("course:guess", (event) => {
    const { id, value, unit } = event.detail || {};
    const time = Number(value) / (unit === "ms" ? 1000 : 1);
    if (!id) return;
    if (value !== null && Number.isFinite(time) && time >= 0) guesses.set(id, time);
    else guesses.delete(id); // the reader asked to forget the answer
    for (const element of elements) {
      if (element.dataset.guess === id) element.redrawGroup();
    }
  });

  // ---------------------------------------------------------------- the element

  class AsyncTimeline extends HTMLElement {
    connectedCallback() {
      if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", () => this.start(), { once: true });
      } else {
        this.start();
      }
    }

    disconnectedCallback() {
      elements.delete(this);
      this.pause();
    }

    start() {
      if (this.trace || !this.isConnected) {
        if (this.trace && this.isConnected) elements.add(this); // moved within the page
        return;
      }
      const part = (selector) => this.querySelector(selector);
      let trace = null;
      let problem = "";
      try {
        trace = JSON.parse(part("script[type='application/json']").textContent);
        problem = problemOf(trace);
      } catch (error) {
        problem = `it is not JSON (${error.message}).`;
      }
      if (!problem && this.dataset.simulator && !window.CourseSimulator) {
        problem = "its simulator is not on this page.";
      }
      if (problem) {
        part(".timeline-problem").textContent = `This timeline cannot be played: ${problem} The figure and the table stay.`;
        part(".timeline-problem").hidden = false;
        this.classList.add("timeline-broken");
        return;
      }
      this.trace = trace;
      this.parts = {
        plot: part(".timeline-plot"),
        range: part("input[type=range]"),
        play: part("[data-do=play]"),
        now: part(".timeline-now"),
        live: part(".timeline-live"),
        form: part(".timeline-form"),
      };
      this.moments = moments(trace);
      this.time = trace.duration;
      elements.add(this);
      part(".timeline-controls").addEventListener("click", (event) => {
        const what = event.target.closest("button");
        if (what) this.press(what.dataset.do);
      });
      this.parts.range.addEventListener("input", () => {
        this.pause();
        this.show((this.parts.range.value / 1000) * this.trace.duration);
      });
      if (this.parts.form) this.startSimulator();
      this.redrawGroup();
    }

    // What the axis of this figure must hold by itself.
    get reach() {
      const guess = guesses.get(this.dataset.guess);
      return Math.max(this.trace.duration, Number(this.dataset.axisMax) || 0, guess === undefined ? 0 : guess);
    }

    redrawGroup() {
      const group = [...elements].filter(
        (one) => one === this || (this.dataset.group && one.dataset.group === this.dataset.group),
      );
      const axis = Math.max(...group.map((one) => one.reach));
      for (const one of group) one.draw(axis);
    }

    draw(axis) {
      const { plot } = this.parts;
      const guess = guesses.get(this.dataset.guess);
      const top = this.dataset.guess ? 22 : 4;
      this.axis = axis;
      plot.innerHTML = figure(this.trace, { key: this.id, axis, top, simulator: this.dataset.simulator });
      const svg = plot.firstElementChild;
      const bottom = svg.getAttribute("height") - AXIS;
      let extra =
        `<rect class="timeline-later" y="${top}" height="${bottom - top}"></rect>` +
        `<line class="timeline-cursor" y1="${top - 4}" y2="${bottom + 4}"></line>`;
      if (guess !== undefined) {
        const at = `${fixed((100 * guess) / axis, 3)}%`;
        const anchor = guess > axis / 2 ? "end" : "start";
        const [factor, unit] = axis < SHORT ? [1000, "ms"] : [1, "s"];
        const shown = Number((guess * factor).toFixed(3));
        const text = `your guess ${Number.isInteger(shown) ? shown.toFixed(1) : shown} ${unit}`;
        extra +=
          `<line class="timeline-guess" x1="${at}" x2="${at}" y1="4" y2="${bottom + 4}"></line>` +
          `<text class="timeline-guess-text" x="${at}" dx="${anchor === "end" ? -5 : 5}" y="14" text-anchor="${anchor}">${text}</text>`;
        svg.setAttribute("aria-label", `${svg.getAttribute("aria-label")} The figure also shows ${text}.`);
      }
      svg.insertAdjacentHTML("beforeend", extra);
      this.show(this.time);
    }

    /** Show the moment `time`: cursor, later part faded, and the sentence below the figure. */
    show(time) {
      this.time = Math.min(Math.max(time, 0), this.trace.duration);
      const { plot, range, now } = this.parts;
      const share = (100 * this.time) / this.axis;
      const cursor = plot.querySelector(".timeline-cursor");
      const later = plot.querySelector(".timeline-later");
      cursor.setAttribute("x1", `${share}%`);
      cursor.setAttribute("x2", `${share}%`);
      later.setAttribute("x", `${share}%`);
      later.setAttribute("width", `${Math.max(0, 100 - share)}%`); // rounding may pass 100
      const sentence = sentenceAt(this.trace, this.time, this.axis);
      range.value = Math.round((1000 * this.time) / this.trace.duration);
      range.setAttribute("aria-valuetext", sentence);
      now.textContent = sentence;
    }

    say() {
      this.parts.live.textContent = this.parts.now.textContent;
    }

    press(what) {
      if (what === "play") {
        if (this.timer) {
          this.pause();
          this.say();
        } else {
          this.play();
        }
        return;
      }
      this.pause();
      const near = this.trace.duration / 1e6;
      const there =
        what === "next"
          ? this.moments.find((one) => one > this.time + near)
          : this.moments.filter((one) => one < this.time - near).pop();
      this.show(there === undefined ? (what === "next" ? this.trace.duration : 0) : there);
      this.say();
    }

    play() {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const end = this.trace.duration;
      if (this.time >= end) this.show(0);
      this.parts.play.textContent = "Pause";
      this.parts.live.textContent = "";
      const goOn = (time) => {
        this.show(time);
        if (time < end) return true;
        this.pause();
        this.say();
        return false;
      };
      if (calm) {
        this.timer = setInterval(() => goOn(this.time + end / PLAY_STEPS + end / 1e9), 500);
        this.stopTimer = clearInterval;
        return;
      }
      let last = performance.now();
      const frame = (moment) => {
        const passed = Math.max(0, moment - last) / 1000;
        last = moment;
        if (goOn(this.time + (passed * this.axis) / PLAY_SECONDS)) this.timer = requestAnimationFrame(frame);
      };
      this.timer = requestAnimationFrame(frame);
      this.stopTimer = cancelAnimationFrame;
    }

    pause() {
      if (!this.timer) return;
      this.stopTimer.call(window, this.timer);
      this.timer = 0;
      this.parts.play.textContent = "Play";
    }

    startSimulator() {
      const { form, live } = this.parts;
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("input", () => {
        const bad = [...form.elements].find((one) => !one.checkValidity());
        for (const one of form.elements) one.setAttribute("aria-invalid", String(one === bad));
        if (bad) {
          live.textContent = `${bad.labels[0].textContent}: a whole number from ${bad.min} to ${bad.max}.`;
          this.classList.add("timeline-refused");
          return;
        }
        this.classList.remove("timeline-refused");
        this.pause();
        this.simulate({
          kind: form.elements.kind.value,
          requests: form.elements.requests.valueAsNumber,
          seconds: form.elements.time.valueAsNumber / 1000,
          pool: form.elements.pool.valueAsNumber,
        });
      });
    }

    simulate(parameters) {
      const { threads, cpu } = this.trace.about;
      const title = this.trace.title;
      this.trace = { ...window.CourseSimulator.simulate({ threads, cpu, ...parameters }), title };
      this.moments = moments(this.trace);
      this.time = this.trace.duration;
      this.querySelector(".timeline-summary span").textContent = this.trace.summary;
      this.querySelector(".timeline-key").innerHTML = legend(this.trace, this.id);
      this.querySelector(".timeline-data table").innerHTML = table(this.trace);
      this.redrawGroup();
      this.parts.live.textContent = this.trace.summary;
    }
  }

  customElements.define("async-timeline", AsyncTimeline);
})();
