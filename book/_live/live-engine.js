/* Python of this page, in a worker: begins with the first run, ends with Stop.

   Needs: nothing.
   Gives: asyncCourse.liveEngine = { prepare }.

   live-worker.mjs says which messages go to and fro. */
((course) => {
  "use strict";
  if (course.liveEngine) return;

  /** The run was ended by the reader; what Python knew is gone. */
  class Stopped extends Error {}

  /** An engine that has not begun. `start` goes to the worker with its first message. */
  function prepare(address, start) {
    let worker = null;
    let loading = null;
    let ready = false;
    let hear = () => {}; // takes the messages of the run, or of the loading
    let lose = () => {}; // ends it with an error

    function end(error) {
      worker?.terminate();
      worker = null;
      loading = null;
      ready = false;
      lose(error);
    }

    /** Loads Python; `progress({step, bytes, of})`. A second call while it loads, or after, waits for
        the same. When it fails, the next call tries again. */
    function load(progress) {
      loading ??= new Promise((resolve, reject) => {
        lose = reject;
        worker = new Worker(address, { type: "module" });
        hear = (message) => {
          if (message.type === "progress") progress(message);
          if (message.type === "fatal") end(new Error(message.text));
          if (message.type !== "ready") return;
          ready = true;
          document.documentElement.dataset.live = JSON.stringify(message);
          resolve(message);
        };
        worker.addEventListener("message", ({ data }) => hear(data));
        worker.addEventListener("error", (event) => {
          event.preventDefault();
          end(new Error(event.message || "its worker did not start"));
        });
        worker.postMessage({ type: "start", ...start });
      });
      loading.catch(() => {
        loading = null;
      });
      return loading;
    }

    /** Runs a program; `take(message)` has what it prints and shows. Resolves to {ok, ms}. */
    function run(program, take) {
      return new Promise((resolve, reject) => {
        lose = reject;
        hear = (message) => {
          if (message.type === "done") resolve(message);
          else if (message.type === "fatal") end(new Error(message.text));
          else take(message);
        };
        worker.postMessage({ type: "run", ...program });
      });
    }

    /** Ends Python at once, whatever it does. What was awaited is rejected with `Stopped`. */
    const stop = () => end(new Stopped());

    return { load, run, stop, Stopped, isReady: () => ready };
  }

  course.liveEngine = { prepare };
})((window.asyncCourse ??= {}));
