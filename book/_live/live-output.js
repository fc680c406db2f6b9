/* What a live cell shows when it runs: text as it is printed, figures, the end of a traceback.

   Needs: asyncCourse.elements; asyncCourse.cards where the page has questions.
   Gives: asyncCourse.liveOutput = { inside }. */
((course) => {
  "use strict";
  if (course.liveOutput) return;
  const { all, make } = course.elements;

  const CLAIM = /^(?:holds|does not hold): /;
  const MOST = 20_000; // characters that are shown
  const RUNAWAY = 2_000_000; // characters after which a cell is stopped
  const REFERENCES = new Set(["for", "aria-labelledby", "aria-describedby", "aria-controls"]);
  let figures = 0;

  /** Gives new ids to the elements of a figure: the recorded one on the page has the same. */
  function renameIds(root) {
    figures += 1;
    const named = new Map(all("[id]", root).map(({ id }) => [id, `live-${figures}-${id}`]));
    const renamed = (words) => words.split(" ").map((id) => named.get(id) ?? id).join(" ");
    for (const element of all("*", root)) {
      if (element.id) element.id = named.get(element.id);
      for (const { name, value } of element.attributes) {
        if (REFERENCES.has(name)) element.setAttribute(name, renamed(value));
        else if (/(?:^#|url\(#)/.test(value)) {
          const moved = value.replace(/#([\w-]+)/g, (all_, id) => `#${named.get(id) ?? id}`);
          element.setAttribute(name, moved);
        }
      }
    }
  }

  function figureOf(markup) {
    const template = document.createElement("template");
    // oxlint-disable-next-line no-restricted-properties -- drawn by the cell, in the reader's own page
    template.innerHTML = markup;
    renameIds(template.content);
    return template.content;
  }

  /** Figures that were not there yet when the reader guessed take the guess now. */
  function tellGuesses() {
    for (const detail of course.cards?.guesses() ?? []) {
      document.dispatchEvent(new CustomEvent("course:guess", { detail }));
    }
  }

  /** Claims are sentences and wrap, as in recorded outputs (page_fixes.py); columns keep their places. */
  function markClaims(pre) {
    const lines = pre.textContent.split(/(?<=\n)/);
    if (!lines.some((line) => CLAIM.test(line))) return;
    pre.replaceChildren(
      ...lines.flatMap((line) =>
        CLAIM.test(line)
          ? [make("span", "claim-line", line.replace(/\n$/, "")), line.endsWith("\n") ? "\n" : ""]
          : [line],
      ),
    );
  }

  /** The output in `box`. `tooMuch()` is called when a cell prints without end. */
  function inside(box, tooMuch) {
    let count = 0;
    let block = null; // what text is added to, and its kind
    let kind = "";

    function blockOf(wanted) {
      if (kind === wanted) return block;
      kind = wanted;
      block = make("pre", "");
      block.append("");
      box.append(make("div", `output ${wanted}`, make("div", "highlight", block)));
      return block;
    }

    /** Adds what was printed; `stream` is "stdout", "stderr" or "traceback". */
    function print(stream, text) {
      const room = MOST - count;
      count += text.length;
      if (room > 0) {
        blockOf(stream === "traceback" ? stream : `stream ${stream}`).lastChild.appendData(text.slice(0, room));
        if (text.length > room) {
          box.append(make("p", "live-cut", `More was printed: the page shows the first ${MOST.toLocaleString("en")} characters.`));
        }
      } else if (count > RUNAWAY) {
        count = -Infinity; // once
        tooMuch();
      }
    }

    function show(mime, data) {
      if (mime === "text/html" || mime === "image/svg+xml") {
        kind = "";
        box.append(make("div", "output text_html", figureOf(data)));
        tellGuesses();
      } else {
        print(mime === "text/error" ? "traceback" : "stdout", `${data}\n`);
      }
    }

    function clear() {
      count = 0;
      kind = "";
      box.replaceChildren();
    }

    const end = () => all("pre", box).forEach(markClaims);

    return { print, show, clear, end };
  }

  course.liveOutput = { inside };
})((window.asyncCourse ??= {}));
