/* A lab in the page: the starter is edited and checked where it stands, in the reader's browser.

   Needs: asyncCourse.elements.
   Gives: nothing; it listens.

   A lab is a live cell: live.js, which is loaded afterwards, makes the editor, Check, Stop and Reset,
   and tells of them in events. The checks run in Python, and the words of every outcome come from
   there. Here stand hints, and the reader's text, which is kept in this browser and never lost.

   Layout: localStorage["async-course:lab:07-your-own-loop"] = {text, before, failing, shown}. `before`
   is the text before a Reset; of the check `failing`, so many hints are `shown`. */
((course) => {
  "use strict";
  const { all, each, make } = course.elements;

  const YOURS = "This is your text. Reset brings the starter back.";
  const STARTER = "The starter is back, and your text is kept.";
  const NOT_KEPT = "This browser keeps no texts of pages. Download yours before you leave.";

  each(all(".live-lab"), (element) => {
    const lab = JSON.parse(element.querySelector(".live-lab-data").dataset.lab);
    element.dataset.liveRun = "Check";
    element.liveProgram = (text) => program(lab.name, text);
    element.addEventListener("live:ready", () => furnish(element, lab));
  });

  /** What is as JSON a text is one in Python, too. */
  function program(name, text) {
    return `from bench.practice.in_the_page import check_for_a_page
check_for_a_page(${JSON.stringify(name)}, ${JSON.stringify(`${text}\n`)}, display)
`;
  }

  function furnish(element, lab) {
    const { live } = element;
    const starter = live.text;
    const kept = { text: starter, before: "", failing: "", shown: 0, ...read(lab.name) };
    let news = {}; // what Python said last
    let alarm;

    const outcome = make("div", "lab-outcome");
    const hints = make("div", "lab-hints");
    hints.setAttribute("role", "status");
    const hint = button("Hint", nextHint);
    const back = button("Bring my text back", () => {
      live.text = kept.before;
    });
    const said = make("p", "live-status");
    said.setAttribute("role", "status");
    const download = button(`Download ${lab.file}`, save);
    const bar = make("div", "live-bar lab-bar", hint, back, button("Copy", copy), download);
    live.output.before(outcome, hints, bar, said);

    element.addEventListener("live:edit", () => {
      const { text } = live;
      if (text === starter && kept.text !== starter) {
        kept.before = kept.text;
        outcome.replaceChildren();
        queueMicrotask(() => tell(STARTER)); // after what Reset itself says
      }
      kept.text = text;
      keep();
      show();
    });
    element.addEventListener("live:start", () => {
      news = {};
      outcome.replaceChildren();
      alarm = setTimeout(end, lab.limit * 1000);
    });
    element.addEventListener("live:display", (event) => {
      if (event.detail.mime !== "text/plain") return;
      event.preventDefault();
      news = JSON.parse(event.detail.data);
      outcome.replaceChildren(...(news.kind ? drawn(news) : [listed(news.checks)]));
    });
    element.addEventListener("live:end", () => {
      clearTimeout(alarm);
      if (news.kind) judge(news, live.status.textContent);
    });
    if (kept.text !== starter) {
      live.text = kept.text;
      tell(YOURS);
    }
    show();

    /** In the place of what the cell says. */
    function tell(sentence) {
      live.status.textContent = sentence;
    }

    /** After the limit. What the outcome is then, Python has said beforehand. */
    function end() {
      const { if_ended: ended } = news;
      live.stop("Ended by the page.");
      if (!ended) return;
      outcome.replaceChildren(...drawn(ended));
      judge(ended, live.status.textContent);
    }

    function judge(came, status) {
      tell(`${came.headline}. ${status}`);
      const stopped = came.checks.find(({ state }) => state === "failed" || state === "raised");
      const failing = stopped?.state === "raised" ? lab.anError.name : (stopped?.name ?? "");
      if (came.kind === "NotAttempted" || failing !== kept.failing) {
        kept.shown = 0;
        hints.replaceChildren();
      }
      kept.failing = failing;
      keep();
      show();
    }

    function hintsNow() {
      if (kept.failing === lab.anError.name) return lab.errorHints;
      return lab.hints[kept.failing] ?? [];
    }

    function nextHint() {
      const every = hintsNow();
      if (kept.shown >= every.length) {
        openSolution();
        return;
      }
      const title = lab.titles[kept.failing] ?? lab.anError.title;
      const number = make("strong", "", `Hint ${kept.shown + 1} of ${every.length}`);
      const line = make("p", "lab-hint", number, " for “", ...marked(title), "”: ");
      line.append(...marked(every[kept.shown]));
      hints.append(line);
      kept.shown += 1;
      keep();
      show();
    }

    function show() {
      const every = hintsNow();
      hint.hidden = !every.length;
      hint.textContent =
        kept.shown < every.length ? `Hint ${kept.shown + 1} of ${every.length}` : "Solution";
      back.hidden = kept.text !== starter || !kept.before;
    }

    function keep() {
      if (!write(lab.name, kept)) said.textContent = NOT_KEPT;
    }

    async function copy() {
      try {
        await navigator.clipboard.writeText(`${kept.text}\n`);
        said.textContent = `Copied. At a desk it belongs into ${lab.work}.`;
      } catch {
        said.textContent = "This browser lets no page copy. Download the file instead.";
      }
    }

    function save() {
      const link = make("a", "");
      link.href = URL.createObjectURL(new Blob([`${kept.text}\n`], { type: "text/x-python" }));
      link.download = lab.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      said.textContent = `At a desk, make it ${lab.work}. Then: ${lab.command}`;
    }
  }

  function openSolution() {
    const box = document.querySelector("#solution details");
    box.open = true;
    box.querySelector("summary").focus();
  }

  /** An outcome, as a notebook shows it. */
  function drawn({ headline, message, code, checks }) {
    const said = make("p", "lab-said", make("strong", "", `${headline}:`), " ", ...marked(message));
    return [listed(checks), said, ...(code ? [make("pre", "lab-line", code)] : [])];
  }

  function listed(checks) {
    const rows = checks.map(({ state, title }) => {
      const row = make("li", "", `${state}: `, ...marked(title));
      row.dataset.state = state;
      return row;
    });
    return make("ol", "lab-checks", ...rows);
  }

  /** A sentence in which code stands between backticks. */
  function marked(sentence) {
    const parts = sentence.split("`");
    return parts.map((part, index) => (index % 2 ? make("code", "", part) : part));
  }

  function button(words, press) {
    const made = make("button", "", words);
    Object.assign(made, { type: "button", onclick: press });
    return made;
  }

  const key = (name) => `async-course:lab:${name}`;

  function read(name) {
    try {
      return JSON.parse(localStorage.getItem(key(name)) ?? "{}");
    } catch {
      return {}; // no storage, or not what we wrote
    }
  }

  function write(name, kept) {
    try {
      localStorage.setItem(key(name), JSON.stringify(kept));
      return true;
    } catch {
      return false;
    }
  }
})((window.asyncCourse ??= {}));
