/* What a PostgreSQL in the page answers, as elements: those that book/_ext/playground_answers.py
   makes of the recorded answers, with the same words.

   Needs: asyncCourse.elements.
   Gives: asyncCourse.answers = { answerItem, tripParts }. */
((course) => {
  "use strict";
  if (course.answers) return;
  const { make } = course.elements;

  const STATUS = {
    I: "outside a transaction",
    T: "in a transaction",
    E: "in a failed transaction",
  };

  /** Text whose lines stay as they are; the keyboard can scroll it. */
  function block(className, text) {
    const made = make("pre", className, text);
    made.tabIndex = 0;
    return made;
  }

  function heads(...contents) {
    const made = contents.map((one) => make("th", "", one));
    for (const one of made) one.scope = "col";
    return make("thead", "", make("tr", "", ...made));
  }

  function withValues({ sql, values }) {
    const lines = values.map((one, index) => `-- $${index + 1} = ${spaced(one)}\n`);
    return lines.join("") + sql;
  }

  /** JSON as Python writes it: with a space behind each comma. */
  function spaced(one) {
    return Array.isArray(one) ? `[${one.map(spaced).join(", ")}]` : JSON.stringify(one);
  }

  function notice({ severity, sqlstate, message }) {
    return make("p", "pg-notice", make("strong", "", `${severity} ${sqlstate}`), ` ${message}`);
  }

  function table({ columns, rows, of }) {
    const all = `${rows.length} row${rows.length === 1 ? "" : "s"}`;
    const caption = make("caption", "", of ? `The first ${rows.length} of ${of} rows` : all);
    const body = rows.map((values) => make("tr", "", ...values.map(cell)));
    const whole = make("table", "", caption, heads(...columns), make("tbody", "", ...body));
    const framed = make("div", "pg-rows", whole);
    framed.tabIndex = 0;
    return framed;
  }

  function cell(text) {
    return make("td", "", text === null ? make("em", "", "null") : text);
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
    const head = make("strong", "", `${error.severity} ${error.sqlstate}`);
    const parts = [make("p", "", head, ` ${error.message}`)];
    if (error.position) parts.push(block("", pointedAt(sql, error.position)));
    if (error.detail) parts.push(make("p", "", `Detail: ${error.detail}`));
    if (error.hint) parts.push(make("p", "", `Hint: ${error.hint}`));
    if (explained.includes(error.sqlstate)) {
      const entry = make("a", "", `What ${error.sqlstate} means`);
      entry.href = `${link}#sqlstate-${error.sqlstate.toLowerCase()}`;
      parts.push(make("p", "", entry));
    }
    return make("div", "pg-error", ...parts);
  }

  /** One statement with everything that came back. `messages` says which SQLSTATEs the page of
      messages explains, and its address: { link, explained }. */
  function answerItem(answer, messages) {
    const parts = [block("pg-sql", withValues(answer)), ...answer.notices.map(notice)];
    if (answer.columns.join() === "QUERY PLAN") {
      parts.push(block("pg-plan", answer.rows.map(([line]) => line).join("\n")));
    } else if (answer.columns.length) parts.push(table(answer));
    if (answer.error) parts.push(complaint(answer.sql, answer.error, messages));
    const tag = answer.tag ? [make("code", "", answer.tag), " · "] : [];
    if (answer.tag || answer.status !== "I") {
      parts.push(make("p", "pg-tag", ...tag, STATUS[answer.status]));
    }
    return make("li", "", ...parts);
  }

  function row(arrow, way, message) {
    return make(
      "tr",
      `pg-way-${way}`,
      make("td", "", `${arrow} `, make("span", "", way)),
      make("td", "", make("b", "", message.letter), ` ${message.name}`),
      make("td", "", message.says),
    );
  }

  /** One round trip: what was sent before the driver waited, and what came then. */
  function tripParts({ sent, received }, caption) {
    const rows = [
      ...sent.map((message) => row("→", "sent", message)),
      ...received.map((message) => row("←", "received", message)),
    ];
    const whole = make(
      "table",
      "pg-trip",
      make("caption", "", caption),
      heads(make("span", "", "Way"), "Message", "What it says"),
      make("tbody", "", ...rows),
    );
    const both = [...sent, ...received];
    const size = both.reduce((sum, message) => sum + message.bytes.split(" ").length, 0);
    const dump = both.map((message) => `${message.letter}  ${message.bytes}`).join("\n");
    const summary = make("summary", "", `Its ${size} bytes`);
    return [whole, make("details", "pg-bytes", summary, block("", dump))];
  }

  course.answers = { answerItem, tripParts };
})((window.asyncCourse ??= {}));
