/* Code that a reader can change where it stands: a text field over the printed code.

   Needs: asyncCourse.elements, asyncCourse.liveColours.
   Gives: asyncCourse.liveEditor = { open }.

   The field is see-through. The printed code below it takes the same text, gives it colours and makes
   the room for it, and the button that copies code still finds it. The Tab key leaves the field. */
((course) => {
  "use strict";
  if (course.liveEditor) return;
  const { elements, liveColours } = course;

  const INDENT = "    ";

  /** What a new line begins with: as the line before, and further in after a colon. */
  function indentAfter(before) {
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const [indent] = /^[ \t]*/.exec(line);
    return /:\s*(#.*)?$/.test(line) ? indent + INDENT : indent;
  }

  /** Makes `pre` editable. Calls `on.edit(code)` after a change, `on.run()` and `on.leave()` for keys.
      Returns { original, code, set code, area }. */
  function open(pre, label, hint, on) {
    const original = pre.textContent.replace(/\n$/, "");
    const printed = pre.dataset.lines ? null : [...pre.childNodes].map((node) => node.cloneNode(true));
    pre.dataset.lines = "live"; // page.js need not mark lines: this code always wraps
    const area = elements.make("textarea", "live-area");
    Object.assign(area, { value: original, spellcheck: false, autocapitalize: "off", dir: "ltr" });
    for (const [name, value] of Object.entries({
      "aria-label": label,
      "aria-describedby": hint.id,
      autocomplete: "off",
      autocorrect: "off",
      rows: "1",
    })) {
      area.setAttribute(name, value);
    }
    pre.setAttribute("aria-hidden", "true");
    pre.parentElement.classList.add("live-code");
    pre.after(area);

    function paint() {
      const code = area.value;
      const own = code === original && printed;
      pre.replaceChildren(...(own ? printed.map((node) => node.cloneNode(true)) : [liveColours.painted(`${code}\n`)]));
    }

    function changed() {
      paint();
      on.edit(area.value);
    }

    area.addEventListener("input", changed);
    area.addEventListener("beforeinput", (event) => {
      if (event.inputType !== "insertLineBreak" || event.isComposing) return;
      const indent = indentAfter(area.value.slice(0, area.selectionStart));
      // The one way to type for the reader that the browser can undo.
      if (indent && document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
    });
    area.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        on.run();
      } else if (event.key === "Escape") {
        event.preventDefault();
        on.leave();
      }
    });
    paint();

    return {
      original,
      area,
      get code() {
        return area.value;
      },
      set code(code) {
        area.value = code;
        changed();
      },
    };
  }

  course.liveEditor = { open };
})((window.asyncCourse ??= {}));
