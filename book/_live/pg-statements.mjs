/* A text of SQL, cut into its statements as psql does it.

   A line `-- $1 = [1, 3]` above a statement gives its first value, in JSON. Values travel apart
   from the text; they are never written into it. */

// What a semicolon may stand in without ending a statement, then the semicolon itself.
const PIECE =
  /\b[eE]'(?:[^'\\]|''|\\[\s\S])*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?(?:\1|$)|;|(?:(?!\b[eE]')[^'"\-/$;])+|[\s\S]/g;
const VALUE = /^\s*--\s*\$(\d+)\s*=\s*(.*?)\s*$/;

/** The statements of `text`, in order: [{ sql, values }]. Raises SyntaxError for a value that is
    not JSON, and for a number that is missing. */
export function statementsOf(text) {
  const pieces = [""];
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece === ";") pieces.push("");
    else pieces[pieces.length - 1] += piece;
  }
  return pieces.map(statementOf).filter(({ sql }) => sql.replace(/--[^\n]*/g, "").trim());
}

function statementOf(piece) {
  const values = [];
  const lines = piece.split("\n").filter((line) => {
    const found = VALUE.exec(line);
    if (found) values[found[1] - 1] = valueOf(found[2], found[1]);
    return !found;
  });
  for (let number = 0; number < values.length; number += 1) {
    if (values[number] === undefined) throw new SyntaxError(`There is no line "-- $${number + 1} = …".`);
  }
  return { sql: lines.join("\n").trim(), values };
}

function valueOf(text, number) {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(
      `The value of $${number} is not JSON. Write a number, "a text", a list such as [1, 3], or null.`,
    );
  }
}
