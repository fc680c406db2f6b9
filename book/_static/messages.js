/* The search page: a message that somebody pastes, or words of it, leads to its entry first.

   Needs: nothing (Search of Sphinx).
   Gives: nothing; it wraps Sphinx's search.

   Sphinx's search wants every word of the question on a page, and ignores numbers. Here an entry
   is found when all words are words of one of its messages or of its code; when one of them is a key
   (an SQLSTATE, the name of a class); or when most words of a message stand in what was pasted: real
   messages carry names and numbers of their own. `message_entries.py` writes the entries; the other
   results follow unchanged. */
(() => {
  "use strict";
  const MOST = 3; // entries shown
  const FIRST = 1000;
  const AFTER_TITLES = 14; // Sphinx gives 15 to a word of a title, 5 to one of the text
  const COVERED = 0.6; // of a message's words, when a whole message is pasted
  const { page, entries } = JSON.parse(document.getElementById("message-entries").textContent);

  const words = (text) => [...new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])];
  const fixed = (word) => word.length > 1 && !/\d/.test(word); // $1 and __asyncpg_stmt_6__ differ

  const known = entries.map((entry) => ({
    ...entry,
    own: entry.messages.map(words),
    named: words(entry.keys.join(" ")),
    explained: words(entry.code.join(" ")),
  }));

  function score(entry, asked) {
    const best = Math.max(...entry.own.map((own) => {
      const covered = own.filter(fixed);
      const share = covered.filter((word) => asked.includes(word)).length / covered.length;
      if (asked.every((word) => own.includes(word))) return 3 + share;
      return covered.length > 1 && share >= COVERED ? 2 + share : 0;
    }));
    if (best) return best;
    if (asked.some((word) => entry.named.includes(word))) return 2;
    const all = new Set([...entry.own.flat(), ...entry.named, ...entry.explained]);
    return asked.every((word) => all.has(word)) ? 1 : 0;
  }

  function find(query) {
    const asked = words(query);
    if (!asked.length) return [];
    // A single word ("pool") may also ask for a lesson, unless it is a key.
    const place = (entry) => asked.length > 1 || entry.named.includes(asked[0]) ? FIRST : AFTER_TITLES;
    return known
      .map((entry) => [score(entry, asked), entry])
      .filter(([points]) => points > 0)
      .sort(([a], [b]) => b - a)
      .slice(0, MOST)
      .map(([points, entry]) => [
        page, entry.title, `#${entry.anchor}`, entry.means, place(entry) + points / 10, `${page}.md`,
      ]);
  }

  const others = Search._performSearch;
  Search._performSearch = (query, ...rest) => {
    // Results are [page, title, anchor, explanation, score, file]; the last one is shown first.
    return [...others(query, ...rest), ...find(query)].sort((a, b) => a[4] - b[4]);
  };
})();
