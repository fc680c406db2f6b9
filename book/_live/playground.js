/* The playground: what its buttons do, and what PostgreSQL answers in this page.

   Needs: asyncCourse.answers, asyncCourse.elements, asyncCourse.playgroundBoxes,
          asyncCourse.postgres.
   Gives: nothing. */
((course) => {
  "use strict";

  const { answers, elements, playgroundBoxes, postgres } = course;
  const { make } = elements;
  const boxes = [];
  let asked = false; // whether a reader who saves data has been told the size
  let busy = false; // while one box works, the others wait

  // -- Buttons -----------------------------------------------------------------------------------

  function taskOf(one) {
    if (one.sent) return { type: "replay", calls: JSON.parse(one.sent.textContent), afresh: true };
    const text = one.editor.value;
    if (one.how) {
      return { type: "messages", text, how: one.how.querySelector(":checked").value };
    }
    return { type: "statements", text, afresh: !one.own };
  }

  async function run(one) {
    if (busy) return;
    if (navigator.connection?.saveData && !postgres.isLoaded() && !asked) {
      asked = true;
      one.status.textContent = `You asked to save data, and PostgreSQL is ${one.size}. Press again to load it.`;
      return;
    }
    const loading = !postgres.isLoaded();
    const task = taskOf(one);
    occupy(one, true);
    one.status.textContent = loading ? `Loading PostgreSQL, ${one.size} …` : "Running …";
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
      if (one.output.lastElementChild?.tagName !== "OL") one.output.append(make("ol", "pg-answers"));
      one.output.lastElementChild.append(answers.answerItem(message.answer, one));
    } else if (message.type === "trip") {
      if (message.number === 1 && message.call) {
        one.output.append(make("p", "pg-call", make("code", "", message.call)));
      }
      const caption = `Round trip ${message.number} of ${message.of}`;
      one.output.append(...answers.tripParts(message.trip, caption));
    } else if (message.type === "refused") {
      one.status.textContent = message.text;
    } else if (message.type === "failed") {
      one.status.textContent = `PostgreSQL cannot go on in this page (${message.text}). What was recorded still holds.`;
    }
  }

  const stop = () => postgres.end();

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
      said = make("p", "pg-said");
      said.setAttribute("role", "status");
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
    const sentence = make("p", "pg-hindrance", `${hindrance} The recorded answers stand below.`);
    found[0]?.before(sentence);
  } else boxes.push(...found.map((box) => playgroundBoxes.furnished(box, { run, stop, putBack, renew })));
})((window.asyncCourse ??= {}));
