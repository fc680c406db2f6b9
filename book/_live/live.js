/* Live cells: the cells tagged `live` run in a worker of this page, one after the other.

   Needs: asyncCourse.elements, asyncCourse.liveWords, asyncCourse.liveEdits, asyncCourse.liveCell,
   asyncCourse.liveEngine.
   Gives: nothing; it listens.

   A cell's element speaks in events: `live:ready`, `live:start`, `live:edit`, `live:display` (which
   may be taken over) and `live:end`. Its property `live` is for other scripts: {text, run, stop(why),
   output, status, bar}. A property `liveProgram(text)` of the element makes another program of the
   text; such a cell runs alone and keeps its text by itself. */
((course) => {
  "use strict";
  const { elements, liveWords, liveEdits, liveCell, liveEngine } = course;

  const script = document.currentScript;
  const settings = JSON.parse(script.dataset.live);
  const { preload, bytes, versions } = settings;
  const size = liveWords.size(bytes);
  const engine = liveEngine.prepare(new URL("live-worker.mjs", script.src), { preload, of: bytes });
  const cells = [];
  let queue = Promise.resolve();
  let round = 0; // Stop begins a new one: what waits in the old one does not run
  let agreed = !navigator.connection?.saveData;

  const CHANGED = "Changed. The output below is that of the code before.";
  const YOURS = "This is your version of the code. Reset brings the book’s back.";
  const MAY_DIFFER = "A cell above has changed: run this one again.";
  const GONE = "Stopped. What the cells had made is gone: the next run begins afresh.";
  const RUNAWAY = "Stopped: it printed without end. What the cells had made is gone.";

  function tell(cell, what, detail) {
    const event = new CustomEvent(`live:${what}`, { bubbles: true, cancelable: true, detail });
    return cell.element.dispatchEvent(event);
  }

  /** Which cells must run for this one: those above it that have not, and itself. */
  function due(cell) {
    if (cell.element.liveProgram) return [cell];
    const above = cells.filter((one) => one.number < cell.number && !one.element.liveProgram);
    return [...above.filter((one) => !one.ran), cell];
  }

  async function mayLoad(cell) {
    if (agreed || engine.isReady()) return true;
    const question = `Your browser saves data. Python is a download of ${size}, once: load it?`;
    agreed = await cell.ask(question, `Load ${size} and run`, "Not now");
    return agreed;
  }

  async function request(cell) {
    if (cell.isBusy() || !(await mayLoad(cell)) || cell.isBusy()) return;
    const mine = round;
    cell.to("waiting", "Waits for its turn …");
    queue = queue.then(() => mine === round && turn(cell, mine));
  }

  /** Loads Python where the reader pressed Run, then runs what is due, until one fails. */
  async function turn(cell, mine) {
    if (!engine.isReady() && !(await load(cell))) return;
    for (const one of due(cell)) {
      if (one !== cell) cell.to("waiting", `Waits for live cell ${one.number} …`);
      const ended = await run(one);
      if (mine !== round) return;
      if (!ended && one !== cell) {
        cell.to("idle", `Not run: live cell ${one.number} above it ended in an error.`);
      }
      if (!ended) return;
    }
  }

  async function load(cell) {
    cell.loading(`Loading Python for your browser, ${size}, once …`);
    try {
      await engine.load((message) => cell.loaded(message));
      return true;
    } catch (error) {
      if (error instanceof engine.Stopped) return false;
      const [sentence, ...advice] = liveWords.failed(error.message);
      cell.to("failed", sentence);
      cell.explain(...advice);
      return false;
    }
  }

  async function run(cell) {
    const text = cell.editor.code;
    const program = {
      id: cell.number,
      code: cell.element.liveProgram?.(text) ?? text,
      name: `cell-${cell.number}`,
      script: cell.element.classList.contains("live-script"),
    };
    cell.begin();
    tell(cell, "start");
    try {
      const { ok, ms } = await engine.run(program, (message) => take(cell, message));
      cell.ran = ok;
      if (ok) cell.end("done", `Done in ${liveWords.took(ms)}, in your browser.`);
      else cell.end("failed", "Ended in an error, in your browser.");
      tell(cell, "end", { ok, ms });
      return ok;
    } catch (error) {
      if (error instanceof engine.Stopped) return false;
      forgetRuns();
      cell.output.print("traceback", `${error.message}\n`);
      cell.end("failed", "Python itself has ended. The next run begins afresh.");
      tell(cell, "end", { ok: false });
      return false;
    }
  }

  function take(cell, { type, name, text, mime, data }) {
    if (type === "stream") cell.output.print(name, text);
    if (type === "display" && tell(cell, "display", { mime, data })) cell.output.show(mime, data);
  }

  function forgetRuns() {
    for (const cell of cells) cell.ran = false;
  }

  function stop(why = GONE) {
    round += 1;
    const busy = cells.filter((cell) => cell.isBusy());
    forgetRuns();
    engine.stop();
    for (const cell of busy) {
      const { liveState } = cell.element.dataset;
      if (liveState === "running") cell.end("stopped", why);
      else cell.back(liveState === "loading" ? "Stopped. Nothing has run." : "");
      if (liveState === "running") tell(cell, "end", { ok: false, stopped: why });
    }
    queue = Promise.resolve();
  }

  function reset(cell) {
    cell.editor.code = cell.editor.original;
    cell.back("The book’s code and its recorded output are back.");
  }

  function edited(cell, code) {
    for (const one of cells.filter(({ number }) => number >= cell.number)) {
      if (one !== cell && one.ran) one.to(one.element.dataset.liveState, MAY_DIFFER);
      one.ran = false;
    }
    if (!cell.element.liveProgram) liveEdits.keep(cell.editor.original, code);
    if (!cell.isBusy()) cell.to("idle", code === cell.editor.original && !cell.hasRun() ? "" : CHANGED);
    tell(cell, "edit");
  }

  function make(element) {
    const cell = liveCell.furnish(element, cells.length + 1, {
      run: () => request(cell),
      stop: () => stop(),
      reset: () => reset(cell),
      tooMuch: () => stop(RUNAWAY),
      edit: (code) => edited(cell, code),
    });
    cell.ran = false;
    cells.push(cell);
    element.live = {
      get text() {
        return cell.editor.code;
      },
      set text(text) {
        cell.editor.code = text;
      },
      run: () => request(cell),
      stop,
      output: cell.box,
      status: cell.status,
      bar: cell.bar,
    };
    const kept = element.liveProgram ? null : liveEdits.read(cell.editor.original);
    if (kept !== null) {
      cell.editor.code = kept;
      cell.to("idle", YOURS);
      cell.open();
    }
    tell(cell, "ready");
  }

  /** What the reader should know before the first run, once on the page. */
  function introduce(element) {
    const sentences = [
      `Live cells run in your browser, not on a server, with Python ${versions.Python}.`,
      `The first run loads Python, once: ${size}.`,
      "Change the code as you like: Reset brings the book’s back.",
    ];
    if (document.querySelector(".tag_live > .cell_output:not(.live-output)")) {
      sentences.push(`What stands below them now was recorded by the book’s own Python, ${settings.recorded}.`);
    }
    element.before(elements.make("p", "live-about", sentences.join(" ")));
  }

  const found = elements.all("div.cell.tag_live");
  const problem = liveWords.missing();
  const hasStacks = typeof window.WebAssembly?.Suspending === "function";
  if (problem) {
    liveCell.refuse(found[0], problem);
  } else {
    introduce(found[0]);
    let refused = false;
    elements.each(found, (element) => {
      if (element.classList.contains("tag_needs-jspi") && !hasStacks) {
        liveCell.refuse(element, liveWords.noStacks(!refused));
        refused = true;
      } else {
        make(element);
      }
    });
  }
})((window.asyncCourse ??= {}));
