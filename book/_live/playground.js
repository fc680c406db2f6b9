/* The boxes of the playground: an editor, buttons, and what PostgreSQL answered in this page.

   Needs: asyncCourse.answers, asyncCourse.postgres.
   Gives: nothing. */
((course) => {
  "use strict";

  const { answers, postgres } = course;
  const boxes = [];
  let asked = false; // whether a reader who saves data has been told the size
  let busy = false; // while one box works, the others wait

  // -- One box -------------------------------------------------------------------------------------

  function made(tag, name, text = "") {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  function button(words, about, act) {
    const element = made("button", "", words);
    element.type = "button";
    if (about) element.setAttribute("aria-label", `${words}: ${about}`);
    element.addEventListener("click", act);
    return element;
  }

  /** The editor in place of the printed text; a conversation has none, as its messages are fixed. */
  function editorOf(box, about) {
    const printed = box.querySelector(".highlight");
    const editor = made("textarea", "pg-editor");
    editor.value = printed.textContent.trim();
    editor.rows = editor.value.split("\n").length + 1;
    editor.spellcheck = false;
    editor.autocapitalize = "off";
    editor.setAttribute("aria-label", `SQL of: ${about}`);
    (printed.closest("[class*=highlight-]") ?? printed).replaceWith(editor);
    return editor;
  }

  /** How a message is sent: a choice of three. */
  function howOf() {
    const field = made("fieldset", "pg-how");
    field.append(made("legend", "", "Send it"));
    const ways = {
      first: "as asyncpg the first time",
      again: "as asyncpg from then on",
      text: "as a text",
    };
    for (const [value, words] of Object.entries(ways)) {
      const label = made("label", "");
      const radio = made("input", "");
      Object.assign(radio, { type: "radio", name: "pg-how", value, checked: value === "first" });
      label.append(radio, ` ${words}`);
      field.append(label);
    }
    return field;
  }

  function furnish(box) {
    const { kind, name } = box.dataset;
    box.querySelector(".pg-asleep")?.remove();
    const heading = box.closest("section")?.querySelector("h2, h3");
    const about = heading ? heading.firstChild.textContent.trim() : name;
    const one = { box, kind, about, link: box.dataset.messages };
    one.explained = box.dataset.explained.split(" ");
    one.sent = box.querySelector(".pg-sent");
    const before = one.sent ? box.querySelector(".highlight").parentElement : editorOf(box, about);
    if (!one.sent) {
      one.editor = before;
      one.first = before.value;
      before.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
        event.preventDefault();
        run(one);
      });
    }
    const bar = made("div", "pg-bar");
    one.run = button(one.sent ? "Send" : "Run", about, () => run(one));
    one.stop = button("Stop", about, () => postgres.end());
    one.stop.hidden = true;
    bar.append(one.run, one.stop);
    if (one.editor) bar.append(button("Put back", about, () => putBack(one)));
    if (kind.startsWith("own")) bar.append(button("Fresh database", about, () => renew(one)));
    one.status = made("span", "pg-status", `The first run loads ${size(one)}.`);
    one.status.setAttribute("role", "status");
    one.progress = made("progress", "pg-progress");
    one.progress.setAttribute("aria-label", "PostgreSQL that has arrived");
    one.progress.hidden = true;
    bar.append(one.status, one.progress);
    one.output = made("div", "pg-output pg-live");
    one.output.setAttribute("role", "region");
    one.output.setAttribute("aria-label", `Answers in this page: ${about}`);
    one.output.hidden = true;
    before.after(bar, one.output);
    if (kind === "own-messages") {
      one.how = howOf();
      before.after(one.how);
    }
    return one;
  }

  const size = ({ box }) => `${(Number(box.dataset.bytes) / 1e6).toFixed(1)} MB`;

  // -- Its buttons ---------------------------------------------------------------------------------

  function taskOf(one) {
    if (one.sent) return { type: "replay", calls: JSON.parse(one.sent.textContent), afresh: true };
    const text = one.editor.value;
    if (one.how) {
      return { type: "messages", text, how: one.how.querySelector(":checked").value };
    }
    return { type: "statements", text, afresh: one.kind === "statements" };
  }

  async function run(one) {
    if (busy) return;
    if (navigator.connection?.saveData && !postgres.isLoaded() && !asked) {
      asked = true;
      one.status.textContent = `You asked to save data, and PostgreSQL is ${size(one)}. Press again to load it.`;
      return;
    }
    const loading = !postgres.isLoaded();
    const task = taskOf(one);
    occupy(one, true);
    one.status.textContent = loading ? `Loading PostgreSQL, ${size(one)} …` : "Running …";
    one.progress.hidden = !loading;
    one.output.replaceChildren();
    one.output.hidden = false;
    const how = await postgres.ask(task, (message) => take(one, message));
    occupy(one, false);
    one.progress.hidden = true;
    if (how === "done") {
      one.status.textContent = "Done, in your browser, not on a server.";
      compare(one.box);
    } else if (how === "stopped") {
      one.status.textContent = "Stopped. The next run begins with a fresh database.";
    }
    one.output.hidden = !one.output.hasChildNodes();
  }

  function occupy(one, now) {
    busy = now;
    for (const each of boxes) each.run.setAttribute("aria-disabled", String(now));
    if (document.activeElement === one.stop) one.run.focus(); // the button goes away
    one.stop.hidden = !now;
  }

  function take(one, message) {
    if (message.type === "progress") {
      if (!message.of) return; // the host does not say how much it sends
      one.progress.max = message.of;
      one.progress.value = message.bytes;
    } else if (message.type === "ready") {
      one.progress.hidden = true;
      one.status.textContent = "Running …";
      for (const each of boxes) if (each !== one) each.status.textContent = "";
    } else if (message.type === "answer") {
      if (one.output.lastElementChild?.tagName !== "OL") one.output.append(made("ol", "pg-answers"));
      one.output.lastElementChild.append(answers.answerItem(message.answer, one));
    } else if (message.type === "trip") {
      if (message.number === 1 && message.call) {
        const call = made("p", "pg-call");
        call.append(made("code", "", message.call));
        one.output.append(call);
      }
      const caption = `Round trip ${message.number} of ${message.of}`;
      one.output.append(...answers.tripParts(message.trip, caption));
    } else if (message.type === "refused") {
      one.status.textContent = message.text;
    } else if (message.type === "failed") {
      one.status.textContent = `PostgreSQL cannot go on in this page (${message.text}). What was recorded still holds.`;
    }
  }

  function putBack(one) {
    one.editor.value = one.first;
    one.output.hidden = true;
    one.output.replaceChildren();
    one.status.textContent = "The first text is back.";
  }

  function renew(one) {
    postgres.end();
    one.output.hidden = true;
    one.output.replaceChildren();
    one.status.textContent = "The next run begins with a fresh database.";
  }

  // -- Predictions ---------------------------------------------------------------------------------

  /** Beside the question: what the reader chose, and what it is. */
  function compare(box) {
    const field = box.querySelector(".pg-predict");
    const chosen = field?.querySelector(":checked")?.value;
    if (!chosen) return;
    const { answer } = field.dataset;
    let said = field.querySelector(".pg-said");
    if (!said) {
      said = made("p", "pg-said");
      field.append(said);
    }
    said.textContent =
      chosen === answer ? `You said “${chosen}”, and so it is.` : `You said “${chosen}”. It is “${answer}”.`;
  }

  // -- The page ------------------------------------------------------------------------------------

  const found = [...document.querySelectorAll(".playground")];
  for (const box of found) {
    box.querySelector(".pg-recorded")?.addEventListener("toggle", () => compare(box));
  }
  const hindrance = postgres.hindrance();
  if (hindrance) {
    const sentence = made("p", "pg-hindrance", `${hindrance} The recorded answers stand below.`);
    found[0]?.before(sentence);
  } else boxes.push(...found.map(furnish));
})((window.asyncCourse ??= {}));
