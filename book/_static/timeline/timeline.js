/* <async-timeline>: plays a trace that stands in the page.

   Needs: asyncCourse.lanes, asyncCourse.clock; asyncCourse.simulator where the element has data-simulator.
   Gives: the element.

   bench/traces/player.py has written all that a reader needs: summary, figure, table. This script
   makes the controls work, draws the reader's guess, and draws the figure again when the time axis
   must grow or the simulator has a new result. A trace that cannot be read leaves the figure as it is.

   The reader's guesses arrive as `course:guess` events on document: {id, value, unit: "s" or "ms"}. */
((course) => {
  "use strict";
  if (customElements.get("async-timeline")) return;
  const { problemOf, figure, guessText, legend, table, moments, sentenceAt } = course.lanes;

  function paint(node, markup) {
    // oxlint-disable-next-line no-restricted-properties -- lanes.js escapes what a trace brings
    node.innerHTML = markup;
  }

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

    /** Brings the element to life; one that is broken stops no other. */
    start() {
      try {
        this.read();
      } catch (error) {
        elements.delete(this);
        console.warn("A timeline of this page does not work:", this, error);
      }
    }

    read() {
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
      if (!problem && this.dataset.simulator && !course.simulator) {
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
        stop: part(".timeline-stop input"),
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
      this.parts.stop.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        event.stopPropagation(); // JupyterLab takes Enter away from text fields
        this.pause();
        this.show(0);
        this.play();
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
      const { simulator } = this.dataset;
      paint(plot, figure(this.trace, { key: this.id, axis, top, simulator, guess, playable: true }));
      if (guess !== undefined) {
        const svg = plot.firstElementChild;
        const label = `${svg.getAttribute("aria-label")} The figure also shows ${guessText(guess, axis)}.`;
        svg.setAttribute("aria-label", label);
      }
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
        if (this.stop) {
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
          : this.moments.findLast((one) => one < this.time - near);
      this.show(there === undefined ? (what === "next" ? this.trace.duration : 0) : there);
      this.say();
    }

    /** Where playing stops by itself, in seconds; NaN for what is no number. */
    get stopAt() {
      const typed = this.parts.stop.value.trim().replace(/\s*s$/, "").replace(",", ".");
      const time = typed ? Number(typed) : Infinity;
      return time > 0 ? time : NaN;
    }

    play() {
      const { duration } = this.trace;
      if (this.time >= duration) this.show(0);
      const { stopAt } = this;
      this.parts.stop.setAttribute("aria-invalid", String(Number.isNaN(stopAt)));
      if (Number.isNaN(stopAt)) {
        this.parts.live.textContent = "Stop at: write a number of seconds, like 0.1.";
        this.classList.add("timeline-refused");
        this.parts.stop.focus();
        return;
      }
      this.classList.remove("timeline-refused");
      this.parts.play.textContent = "Pause";
      this.parts.live.textContent = "";
      this.stop = course.clock.run({
        start: this.time,
        end: stopAt > this.time + duration / 1e6 ? Math.min(stopAt, duration) : duration,
        axis: this.axis,
        duration,
        show: (time) => this.show(time),
        done: () => {
          this.pause();
          this.say();
        },
      });
    }

    pause() {
      if (!this.stop) return;
      this.stop();
      this.stop = null;
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
      this.trace = { ...course.simulator.simulate({ threads, cpu, ...parameters }), title };
      this.moments = moments(this.trace);
      this.time = this.trace.duration;
      this.querySelector(".timeline-summary span").textContent = this.trace.summary;
      paint(this.querySelector(".timeline-key"), legend(this.trace, this.id));
      paint(this.querySelector(".timeline-data table"), table(this.trace));
      this.redrawGroup();
      this.parts.live.textContent = this.trace.summary;
    }
  }

  customElements.define("async-timeline", AsyncTimeline);
})((window.asyncCourse ??= {}));
