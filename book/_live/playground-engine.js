/* The PostgreSQL of this page: one backend in a worker, which is loaded when first asked.

   Needs: nothing.
   Gives: asyncCourse.postgres = { hindrance, isLoaded, ask, end }. */
((course) => {
  "use strict";
  if (course.postgres) return;

  const WORKER = new URL("pg-worker.mjs", document.currentScript.src);
  const ENDS = new Set(["done", "refused", "failed", "stopped"]);

  let worker = null;
  let loaded = null; // the worker's "ready"
  let listener = () => {};

  /** Why PostgreSQL cannot run here, in a sentence; "" if it can. */
  function hindrance() {
    if (window.location.protocol === "file:") {
      return "A browser runs PostgreSQL only on a page from a server: start the book with make book.";
    }
    const needed = ["Worker", "WebAssembly", "DecompressionStream", "TransformStream"];
    const missing = needed.find((name) => !(name in window));
    return missing ? `This browser cannot run PostgreSQL: it has no ${missing}.` : "";
  }

  function load() {
    worker = new Worker(WORKER, { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      if (data.type === "ready") loaded = data;
      listener(data);
    });
    worker.addEventListener("error", (event) => {
      listener({ type: "failed", text: event.message || "its files cannot be loaded" });
    });
    worker.postMessage({ type: "start" });
  }

  const isLoaded = () => loaded !== null;

  /** Do `task`, as pg-worker.mjs describes it, and tell each message of the worker. Promises how it
      ended: "done", "refused", "failed", or "stopped" by `end`. One task at a time. */
  function ask(task, tell) {
    if (!worker) load();
    return new Promise((resolve) => {
      listener = (message) => {
        tell(message);
        if (!ENDS.has(message.type)) return;
        listener = () => {};
        if (message.type === "failed") end();
        resolve(message.type);
      };
      worker.postMessage(task);
    });
  }

  /** End the backend at once, whatever it does; the next task loads a new one. */
  function end() {
    worker?.terminate();
    worker = null;
    loaded = null;
    listener({ type: "stopped" });
  }

  course.postgres = { hindrance, isLoaded, ask, end };
})((window.asyncCourse ??= {}));
