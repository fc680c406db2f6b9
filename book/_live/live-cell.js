/* What a live cell looks like: its buttons, what it says, its outputs. What they do stands in live.js.

   Needs: asyncCourse.elements, asyncCourse.liveWords, asyncCourse.liveEditor, asyncCourse.liveOutput.
   Gives: asyncCourse.liveCell = { furnish, refuse }.

   data-live-state of the cell's element: idle, waiting, loading, running, done, failed or stopped. */
((course) => {
  "use strict";
  if (course.liveCell) return;
  const { elements, liveWords, liveEditor, liveOutput } = course;
  const { all, make } = elements;

  const BUSY = new Set(["waiting", "loading", "running"]);
  const HINT = "Ctrl+Enter or Shift+Enter runs. Tab leaves this field, and so does Escape.";
  const SHORT_HINT = "Ctrl+Enter runs, Tab leaves";

  function button(words, what, number, press) {
    const made = make("button", "", words);
    Object.assign(made, { type: "button", onclick: press });
    made.dataset.liveDo = what;
    made.setAttribute("aria-label", `${words} live cell ${number}`);
    return made;
  }

  function announcer(name) {
    const made = make("p", name);
    made.setAttribute("role", "status");
    return made;
  }

  /** One sentence instead of buttons: why this cell cannot run here. */
  function refuse(element, sentence) {
    element.querySelector(".cell_input").after(make("p", "live-refusal", sentence));
  }

  /** Gives the cell its parts. `on` has run, stop, reset, edit(code). */
  function furnish(element, number, on) {
    const input = element.querySelector(".cell_input");
    const fold = input.querySelector("details.code-fold");
    const recorded = all(":scope > .cell_output", element);
    const word = element.dataset.liveRun || "Run";

    const name = make("span", "live-name", `Live cell ${number}`);
    const run = button(word, "run", number, on.run);
    const stop = button("Stop", "stop", number, on.stop);
    const reset = button("Reset", "reset", number, on.reset);
    const compare = button("Recorded", "recorded", number, () => showRecorded(recorded[0].hidden));
    compare.setAttribute("aria-label", `Recorded output of live cell ${number}`);
    const keys = make("span", "live-keys", SHORT_HINT); // its room is kept: buttons stay in their places
    keys.setAttribute("aria-hidden", "true");
    const bar = make("div", "live-bar", name, run, stop, reset, compare, keys);
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", `Live cell ${number}`);
    const hint = make("p", "", HINT);
    Object.assign(hint, { id: `live-hint-${number}`, hidden: true });
    const status = announcer("live-status");
    const gauge = make("progress", "");
    gauge.setAttribute("aria-label", "Loading Python for your browser");
    const read = make("span", "");
    const progress = make("p", "live-progress", gauge, read);
    const note = make("div", "live-note");
    const box = make("div", "cell_output live-output");
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Output of live cell ${number}, from your browser`);
    input.after(bar, status, progress, note, box, hint);
    const output = liveOutput.inside(box, on.tooMuch);
    const editor = liveEditor.open(
      input.querySelector(".highlight pre"),
      `Code of live cell ${number}`,
      hint,
      { edit: on.edit, run: on.run, leave: () => run.focus() },
    );
    if (fold) {
      const summary = fold.querySelector("summary");
      summary.textContent = summary.textContent.replace(/^Code:/, "Code, yours to change:");
    }

    let state = "idle";

    function show() {
      const busy = BUSY.has(state);
      element.dataset.liveState = state;
      run.setAttribute("aria-disabled", String(busy)); // `disabled` would throw the focus away
      stop.hidden = !busy;
      reset.hidden = busy || (editor.code === editor.original && !box.childElementCount);
      compare.hidden = !recorded.length || box.hidden;
      progress.hidden = state !== "loading";
    }

    function showRecorded(on_) {
      for (const one of recorded) one.hidden = !on_;
      compare.setAttribute("aria-expanded", String(on_));
    }

    function to(next, sentence) {
      const stopped = document.activeElement === stop;
      state = next;
      if (status.textContent !== sentence) status.textContent = sentence;
      show();
      if (stop.hidden && stopped) run.focus();
    }

    /** Makes room for a run's output; what was recorded waits behind its button. */
    function begin() {
      note.replaceChildren();
      output.clear();
      box.hidden = false;
      showRecorded(false);
      to("running", "Running in your browser …");
    }

    function end(next, sentence) {
      output.end();
      if (next === "failed" && fold) fold.open = true; // the traceback names its lines
      to(next, sentence);
    }

    /** Back to the page as it was. */
    function back(sentence) {
      note.replaceChildren();
      output.clear();
      box.hidden = true;
      showRecorded(true);
      to("idle", sentence);
    }

    function loading(sentence) {
      note.replaceChildren();
      gauge.removeAttribute("value");
      read.textContent = "";
      to("loading", sentence);
    }

    /** `progress` messages come often: they are seen, and not read aloud. */
    function loaded({ step, bytes, of }) {
      if (!of) return;
      Object.assign(gauge, { max: of, value: Math.min(bytes, of) });
      read.textContent = bytes < of ? liveWords.loaded(bytes, of) : `${step} …`;
    }

    function explain(...sentences) {
      note.replaceChildren(...sentences.map((one) => make("p", "", one)));
    }

    /** Asks before a download; resolves to true or false. */
    function ask(question, yes, no) {
      return new Promise((resolve) => {
        const answer = (agreed) => {
          note.replaceChildren();
          run.focus();
          resolve(agreed);
        };
        const buttons = make("div", "live-bar");
        for (const [words, agreed] of [[yes, true], [no, false]]) {
          const made = make("button", "", words);
          Object.assign(made, { type: "button", onclick: () => answer(agreed) });
          buttons.append(made);
        }
        const group = make("div", "", make("p", "", question), buttons);
        Object.assign(group, { tabIndex: -1 });
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", question);
        note.replaceChildren(group);
        group.focus();
      });
    }

    back("");
    return {
      number, element, editor, output, status, bar, box,
      to, begin, end, back, loading, loaded, explain, ask,
      open: () => fold && (fold.open = true),
      isBusy: () => BUSY.has(state),
      hasRun: () => !box.hidden,
      refresh: show,
    };
  }

  course.liveCell = { furnish, refuse };
})((window.asyncCourse ??= {}));
