/* What a PostgreSQL in the page answers, as elements: those that book/_ext/playground_answers.py
   makes of the recorded answers, with the same words.

   Needs: nothing.
   Gives: asyncCourse.answers = { answerItem, tripParts }. */
((course) => {
  "use strict";
  if (course.answers) return;

  const STATUS = {
    I: "outside a transaction",
    T: "in a transaction",
    E: "in a failed transaction",
  };

  /** An element with attributes and contents: texts and elements. */
  function element(tag, attributes, ...contents) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...contents);
    return made;
  }

  const block = (name, text) => element("pre", { class: name, tabindex: "0" }, text);

  function withValues({ sql, values }) {
    const lines = values.map((one, index) => `-- $${index + 1} = ${spaced(one)}\n`);
    return lines.join("") + sql;
  }

  /** JSON as Python writes it: with a space behind each comma. */
  function spaced(one) {
    return Array.isArray(one) ? `[${one.map(spaced).join(", ")}]` : JSON.stringify(one);
  }

  function notice({ severity, sqlstate, message }) {
    const head = element("strong", {}, `${severity} ${sqlstate}`);
    return element("p", { class: "pg-notice" }, head, ` ${message}`);
  }

  function table({ columns, rows, of }) {
    const head = columns.map((column) => element("th", { scope: "col" }, column));
    const body = rows.map((values) => element("tr", {}, ...values.map(cell)));
    const all = `${rows.length} row${rows.length === 1 ? "" : "s"}`;
    const caption = of ? `The first ${rows.length} of ${of} rows` : all;
    const whole = element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    );
    return element("div", { class: "pg-rows", tabindex: "0" }, whole);
  }

  function cell(text) {
    return element("td", {}, text === null ? element("em", {}, "null") : text);
  }

  /** The line with that character (counted from 1), and an arrow below the character. */
  function pointedAt(sql, position) {
    const letters = [...sql]; // PostgreSQL counts characters, JavaScript halves of some
    const before = letters.slice(0, position - 1);
    const start = before.lastIndexOf("\n") + 1;
    const line = letters.slice(start).join("").split("\n")[0];
    return `${line}\n${" ".repeat(position - 1 - start)}^`;
  }

  function complaint(sql, error, { link, explained }) {
    const head = element("strong", {}, `${error.severity} ${error.sqlstate}`);
    const parts = [element("p", {}, head, ` ${error.message}`)];
    if (error.position) parts.push(element("pre", { tabindex: "0" }, pointedAt(sql, error.position)));
    if (error.detail) parts.push(element("p", {}, `Detail: ${error.detail}`));
    if (error.hint) parts.push(element("p", {}, `Hint: ${error.hint}`));
    if (explained.includes(error.sqlstate)) {
      const address = `${link}#sqlstate-${error.sqlstate.toLowerCase()}`;
      parts.push(element("p", {}, element("a", { href: address }, `What ${error.sqlstate} means`)));
    }
    return element("div", { class: "pg-error" }, ...parts);
  }

  /** One statement with everything that came back. `messages` says which SQLSTATEs the page of
      messages explains, and its address: { link, explained }. */
  function answerItem(answer, messages) {
    const parts = [block("pg-sql", withValues(answer)), ...answer.notices.map(notice)];
    if (answer.columns.join() === "QUERY PLAN") {
      parts.push(block("pg-plan", answer.rows.map(([line]) => line).join("\n")));
    } else if (answer.columns.length) parts.push(table(answer));
    if (answer.error) parts.push(complaint(answer.sql, answer.error, messages));
    const tag = answer.tag ? [element("code", {}, answer.tag), " · "] : [];
    if (answer.tag || answer.status !== "I") {
      parts.push(element("p", { class: "pg-tag" }, ...tag, STATUS[answer.status]));
    }
    return element("li", {}, ...parts);
  }

  function row(arrow, way, message) {
    return element(
      "tr",
      { class: `pg-way-${way}` },
      element("td", {}, `${arrow} `, element("span", {}, way)),
      element("td", {}, element("b", {}, message.letter), ` ${message.name}`),
      element("td", {}, message.says),
    );
  }

  /** One round trip: what was sent before the driver waited, and what came then. */
  function tripParts({ sent, received }, caption) {
    const head = [element("span", {}, "Way"), "Message", "What it says"];
    const rows = [
      ...sent.map((message) => row("→", "sent", message)),
      ...received.map((message) => row("←", "received", message)),
    ];
    const whole = element(
      "table",
      { class: "pg-trip" },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head.map((one) => element("th", { scope: "col" }, one)))),
      element("tbody", {}, ...rows),
    );
    const all = [...sent, ...received];
    const size = all.reduce((sum, message) => sum + message.bytes.split(" ").length, 0);
    const dump = all.map((message) => `${message.letter}  ${message.bytes}`).join("\n");
    const summary = element("summary", {}, `Its ${size} bytes`);
    return [whole, element("details", { class: "pg-bytes" }, summary, element("pre", { tabindex: "0" }, dump))];
  }

  course.answers = { answerItem, tripParts };
})((window.asyncCourse ??= {}));
