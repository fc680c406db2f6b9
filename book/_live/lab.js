/* A lab in the page: the starter is edited and checked where it stands, in the reader's browser.

   Needs: a live cell `div.cell.live-lab` made by `lab_cells.py`; live.js, which is loaded afterwards
   and makes the editor, Check, Reset and Stop. They speak in events: `live:ready`, `live:start`,
   `live:edit`, `live:display`, `live:end` on the cell.
   Gives: nothing.

   The checks run in Python, and the words of every outcome come from there. Here stand the buttons
   for hints and for the reader's text, which is kept in localStorage and never thrown away. */
(() => {
  "use strict";

  for (const element of document.querySelectorAll(".live-lab")) {
    const data = JSON.parse(element.querySelector(".live-lab-data").dataset.lab);
    element.dataset.liveRun = "Check";
    element.liveProgram = (text) => program(data.name, text);
    element.addEventListener("live:ready", () => open(element, data));
  }

  /** A text as JSON is a text of Python, too. */
  function program(name, text) {
    return `from bench.practice.in_the_page import check_for_a_page
check_for_a_page(${JSON.stringify(name)}, ${JSON.stringify(text)}, display)
`;
  }

  function open(element, data) {
    const live = element.live;
    const starter = live.text;
    const store = shelf(`lab-${data.name}`);
    let text = store.get("text") ?? starter;
    let alarm;
    let news; // what Python said last

    const outcome = block("div", "lab-outcome");
    const told = block("div", "lab-hints");
    told.setAttribute("role", "status");
    const bar = block("div", "lab-bar");
    const hint = button("Hint", nextHint);
    const back = button("Bring my text back", () => change(store.get("before")));
    const kept = block("span", "lab-kept");
    kept.setAttribute("role", "status");
    bar.append(hint, back, button("Copy", copy), button(`Download ${data.file}`, download), kept);
    live.output.before(outcome, told, bar);

    if (text !== starter) {
      live.text = text;
    }
    refresh();

    element.addEventListener("live:edit", () => {
      if (live.text === starter && text !== starter) {
        store.set("before", text); // Reset
      }
      text = live.text;
      kept.textContent = store.set("text", text) ? "" : "This browser keeps no text: copy it.";
      refresh();
    });
    element.addEventListener("live:start", () => {
      news = undefined;
      outcome.replaceChildren();
      alarm = setTimeout(end, data.limit * 1000);
    });
    element.addEventListener("live:display", (event) => {
      event.preventDefault();
      news = JSON.parse(event.detail.data);
      outcome.replaceChildren(...(news.kind ? drawn(news) : [listed(news.checks)]));
    });
    element.addEventListener("live:end", ({ detail }) => {
      clearTimeout(alarm);
      if (news?.kind) {
        judged(news);
        live.status.textContent = `${news.headline}. ${Math.round(detail.ms)} ms, in your browser`;
      }
    });

    /** After the limit: Python has said beforehand what the outcome is then. */
    function end() {
      live.stop("Ended.");
      if (news?.if_ended) {
        outcome.replaceChildren(...drawn(news.if_ended));
        judged(news.if_ended);
      }
    }

    function judged(came) {
      const stopped = came.checks.find((check) => ["failed", "raised"].includes(check.state));
      const failing = stopped?.state === "raised" ? "an error" : (stopped?.name ?? "");
      if (came.kind === "NotAttempted" || failing !== store.get("failing")) {
        store.set("shown", "0");
        told.replaceChildren();
      }
      store.set("failing", failing);
      refresh();
    }

    function hints() {
      const failing = store.get("failing");
      return failing === "an error" ? data.errorHints : data.hints[failing];
    }

    function nextHint() {
      const all = hints();
      const shown = Number(store.get("shown") ?? 0);
      if (shown >= all.length) {
        showSolution();
        return;
      }
      const failing = store.get("failing");
      const title = data.titles[failing] ?? "the error that your code raised";
      const line = block("p", "lab-hint");
      const number = block("strong", "");
      number.textContent = `Hint ${shown + 1} of ${all.length}`;
      line.append(number, " for “", ...marked(title), "”: ", ...marked(all[shown]));
      told.append(line);
      store.set("shown", String(shown + 1));
      refresh();
    }

    function refresh() {
      const all = hints();
      const shown = Number(store.get("shown") ?? 0);
      hint.hidden = !all;
      hint.textContent =
        all && shown < all.length ? `Hint ${shown + 1} of ${all.length}` : "Solution";
      back.hidden = text !== starter || !store.get("before");
    }

    function change(to) {
      live.text = to;
    }

    async function copy() {
      try {
        await navigator.clipboard.writeText(text);
        kept.textContent = `Copied. At a desk it is ${data.work}.`;
      } catch {
        kept.textContent = "This browser does not let a page copy: download the file.";
      }
    }

    function download() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/x-python" }));
      link.download = data.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      kept.textContent = `Put it into the course as ${data.work}, then: ${data.command}`;
    }
  }

  /** An outcome, as a notebook shows it. */
  function drawn(came) {
    const said = block("p", "");
    const headline = block("strong", "");
    headline.textContent = `${came.headline}:`;
    said.append(headline, " ", ...marked(came.message));
    const code = block("pre", "");
    code.textContent = came.code;
    return [listed(came.checks), said, ...(came.code ? [code] : [])];
  }

  function listed(checks) {
    const list = document.createElement("ol");
    for (const check of checks) {
      const row = block("li", "");
      row.dataset.state = check.state;
      row.append(`${check.state}: `, ...marked(check.title));
      list.append(row);
    }
    return list;
  }

  function showSolution() {
    const box = document.querySelector("#solution details");
    box.open = true;
    box.querySelector("summary").focus();
    box.scrollIntoView();
  }

  /** Texts under one name in localStorage, if the browser has one. */
  function shelf(name) {
    const key = (what) => `course-${name}-${what}`;
    return {
      get(what) {
        try {
          return localStorage.getItem(key(what)) ?? undefined;
        } catch {
          return undefined;
        }
      },
      set(what, value) {
        try {
          localStorage.setItem(key(what), value);
          return true;
        } catch {
          return false;
        }
      },
    };
  }

  /** Text and code of a sentence with backticks. */
  function marked(sentence) {
    return sentence.split("`").map((part, index) => {
      if (index % 2 === 0) {
        return part;
      }
      const code = document.createElement("code");
      code.textContent = part;
      return code;
    });
  }

  function block(tag, name) {
    const made = document.createElement(tag);
    made.className = name;
    return made;
  }

  function button(label, act) {
    const made = block("button", "");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  }
})();
