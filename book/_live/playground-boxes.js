/* What a script adds to a box of the playground: an editor, buttons, a status, a place for answers.

   Needs: asyncCourse.elements.
   Gives: asyncCourse.playgroundBoxes = { furnished }. */
((course) => {
  "use strict";
  if (course.playgroundBoxes) return;
  const { make } = course.elements;

  function button(words, about, act) {
    const element = make("button", "", words);
    element.type = "button";
    element.setAttribute("aria-label", `${words}: ${about}`);
    element.addEventListener("click", act);
    return element;
  }

  /** The editor, in place of the printed text. */
  function editorOf(one, run) {
    const printed = one.box.querySelector(".highlight");
    const editor = make("textarea", "pg-editor");
    editor.value = printed.textContent.trim();
    editor.rows = editor.value.split("\n").length + 1;
    editor.spellcheck = false;
    editor.autocapitalize = "off";
    editor.setAttribute("aria-label", `SQL of: ${one.about}`);
    editor.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.preventDefault();
      run();
    });
    (printed.closest("[class*=highlight-]") ?? printed).replaceWith(editor);
    return editor;
  }

  /** How a message is sent: a choice of three. */
  function howOf() {
    const field = make("fieldset", "pg-how", make("legend", "", "Send it"));
    const ways = {
      first: "as asyncpg the first time",
      again: "as asyncpg from then on",
      text: "as a text",
    };
    for (const [value, words] of Object.entries(ways)) {
      const radio = make("input", "");
      Object.assign(radio, { type: "radio", name: "pg-how", value, checked: value === "first" });
      field.append(make("label", "", radio, ` ${words}`));
    }
    return field;
  }

  function barOf(one, acts) {
    const bar = make("div", "pg-bar");
    one.run = button(one.sent || one.how ? "Send" : "Run", one.about, acts.run);
    one.stop = button("Stop", one.about, acts.stop);
    one.stop.hidden = true;
    bar.append(one.run, one.stop);
    if (one.editor) bar.append(button("Put back", one.about, acts.putBack));
    if (one.own) bar.append(button("Fresh database", one.about, acts.renew));
    one.status = make("span", "pg-status", `The first run loads ${one.size}.`);
    one.status.setAttribute("role", "status");
    one.progress = make("progress", "pg-progress");
    one.progress.setAttribute("aria-label", "PostgreSQL that has arrived");
    one.progress.hidden = true;
    bar.append(one.status, one.progress);
    return bar;
  }

  /** The parts of `box`, now that it has them all; `acts` are its buttons: run, stop, putBack,
      renew, each called with the parts. A box whose messages are fixed has no editor. */
  function furnished(box, acts) {
    const { kind, name, messages, explained, bytes } = box.dataset;
    box.querySelector(".pg-asleep")?.remove();
    const heading = box.closest("section")?.querySelector("h2, h3");
    const one = {
      box,
      own: kind.startsWith("own-"),
      about: heading ? heading.firstChild.textContent.trim() : name,
      link: messages,
      explained: explained.split(" "),
      size: `${(Number(bytes) / 1e6).toFixed(1)} MB`,
      sent: box.querySelector(".pg-sent"),
    };
    const ofThis = Object.entries(acts).map(([act, does]) => [act, () => does(one)]);
    const bound = Object.fromEntries(ofThis);
    let above = box.querySelector(".highlight").parentElement;
    if (!one.sent) {
      one.editor = editorOf(one, bound.run);
      one.first = one.editor.value;
      above = one.editor;
    }
    if (kind === "own-messages") {
      one.how = howOf();
      above.after(one.how);
      above = one.how;
    }
    one.output = make("div", "pg-output pg-live");
    one.output.setAttribute("role", "region");
    one.output.setAttribute("aria-label", `Answers in this page: ${one.about}`);
    one.output.hidden = true;
    above.after(barOf(one, bound), one.output);
    return one;
  }

  course.playgroundBoxes = { furnished };
})((window.asyncCourse ??= {}));
