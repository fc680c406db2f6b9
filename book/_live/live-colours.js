/* Colours for Python that a reader types, in the classes of the book's own code (Pygments).

   Needs: nothing.
   Gives: asyncCourse.liveColours = { painted }. */
((course) => {
  "use strict";
  if (course.liveColours) return;

  const KEYWORDS = new Set(
    `False None True and as assert async await break class continue def del elif else except finally
     for from global if import in is lambda nonlocal not or pass raise return try while with yield
     match case`.split(/\s+/),
  );
  const WORDS = new Set(["and", "in", "is", "not", "or"]);
  const BUILTINS = new Set(
    `abs all any bool bytes dict enumerate float int isinstance len list map max min object open print
     range repr reversed round set sorted str sum super tuple type zip`.split(/\s+/),
  );

  const STRING =
    '(?:[rbuf]{0,2})(?:"""[^]*?(?:"""|(?![^]))|\'\'\'[^]*?(?:\'\'\'|(?![^]))|"(?:\\\\.|[^"\\\\\\n])*"?|\'(?:\\\\.|[^\'\\\\\\n])*\'?)';
  const PARTS = new RegExp(
    [
      "(?<c1>#.*)",
      `(?<s2>${STRING})`,
      "(?<nd>(?<=^[ \\t]*)@[\\w.]+)",
      "(?<mi>\\b\\d[\\w.]*)",
      "(?<word>[\\p{L}_][\\p{L}\\p{N}_]*)",
      "(?<o>[-+*/%=<>!&|^~@.]+)",
    ].join("|"),
    "gimu",
  );

  function classOf(word, before) {
    if (/\bdef\s+$/.test(before)) return "nf";
    if (/\bclass\s+$/.test(before)) return "nc";
    if (WORDS.has(word)) return "ow";
    if (KEYWORDS.has(word)) return "k";
    return BUILTINS.has(word) && !before.endsWith(".") ? "nb" : "n";
  }

  /** The code as text and coloured parts; together they are exactly the code. */
  function painted(code) {
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const found of code.matchAll(PARTS)) {
      const [text] = found;
      parts.append(code.slice(end, found.index));
      const part = document.createElement("span");
      const [name] = Object.entries(found.groups).find(([, matched]) => matched !== undefined);
      part.className =
        name === "word" ? classOf(text, code.slice(Math.max(0, found.index - 20), found.index)) : name;
      part.textContent = text;
      parts.append(part);
      end = found.index + text.length;
    }
    parts.append(code.slice(end));
    return parts;
  }

  course.liveColours = { painted };
})((window.asyncCourse ??= {}));
