/* Live cells: the cells tagged `live` get buttons, and run in a worker of this page.

   Needs: nothing.
   Gives: nothing.

   A first form: its buttons, words and states are still to come. */
(() => {
  "use strict";

  const script = document.currentScript;
  const here = new URL("./", script.src);
  const settings = JSON.parse(script.dataset.live);
  const cells = [];
  let worker;
  let ready;
  let running; // the cell whose messages arrive now

  function start() {
    ready = new Promise((resolve, reject) => {
      worker = new Worker(new URL("live-worker.mjs", here), { type: "module" });
      worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
      worker.onmessage = ({ data }) => {
        if (data.type === "ready") {
          document.documentElement.dataset.live = JSON.stringify(data);
          resolve(data);
        } else if (data.type === "fatal" && !running) {
          reject(new Error(data.text));
        } else {
          take(data);
        }
      };
      worker.postMessage({ type: "start", preload: settings.preload });
    });
    return ready;
  }

  function take(message) {
    if (message.type === "progress") {
      const read = (message.bytes / 1e6).toFixed(1);
      cells.forEach((cell) => cell.waits && (cell.status.textContent = `${message.step}: ${read} MB`));
    } else if (message.type === "stream") {
      line(running, message.name, message.text);
    } else if (message.type === "display") {
      show(running, message.mime, message.data);
    } else if (message.type === "fatal") {
      line(running, "stderr", message.text);
      running.finish(false);
    } else if (message.type === "done") {
      running.finish(message.ok, message.ms);
    }
  }

  function line(cell, name, text) {
    const part = document.createElement("span");
    part.className = name;
    part.textContent = text;
    let block = cell.output.lastElementChild;
    if (!block || block.tagName !== "PRE") {
      block = document.createElement("pre");
      cell.output.append(block);
    }
    block.append(part);
  }

  function show(cell, mime, data) {
    if (mime === "text/html" || mime === "image/svg+xml") {
      const block = document.createElement("div");
      block.innerHTML = data;
      cell.output.append(block);
    } else {
      line(cell, mime === "text/error" ? "stderr" : "stdout", `${data}\n`);
    }
  }

  function run(cell) {
    return new Promise((resolve) => {
      cell.waits = true;
      cell.button.disabled = true;
      cell.output.replaceChildren();
      cell.finish = (ok, ms) => {
        running = undefined;
        cell.button.disabled = false;
        cell.ran = ok;
        cell.status.textContent = ok ? `done in ${Math.round(ms)} ms, in your browser` : "failed";
        resolve(ok);
      };
      (ready ?? start()).then(
        () => {
          cell.waits = false;
          running = cell;
          cell.status.textContent = "running …";
          worker.postMessage({
            type: "run",
            id: cell.index,
            code: cell.code.textContent,
            name: `cell-${cell.index + 1}`,
            script: cell.script,
          });
        },
        (error) => {
          ready = undefined;
          line(cell, "stderr", `Python could not be started here: ${error.message}`);
          cell.finish(false);
        },
      );
    });
  }

  async function runUpTo(last) {
    for (const cell of cells.slice(0, last.index + 1)) {
      if ((cell === last || !cell.ran) && !(await run(cell))) {
        return;
      }
    }
  }

  for (const element of document.querySelectorAll("div.cell.tag_live")) {
    const cell = {
      index: cells.length,
      code: element.querySelector(".cell_input pre"),
      script: element.classList.contains("live-script"),
      button: document.createElement("button"),
      status: document.createElement("span"),
      output: document.createElement("div"),
    };
    const bar = document.createElement("div");
    bar.className = "live-bar";
    bar.append(cell.button, cell.status);
    cell.button.type = "button";
    cell.button.textContent = "Run";
    cell.status.className = "live-status";
    cell.status.setAttribute("role", "status");
    cell.output.className = "live-output";
    cell.button.addEventListener("click", () => runUpTo(cell));
    element.querySelector(".cell_input").after(bar, cell.output);
    cells.push(cell);
  }
})();
