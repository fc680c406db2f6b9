/* The search page: a message that somebody pastes, or words of it, leads to its entry first.

   Needs: nothing (Search of Sphinx).
   Gives: nothing; it wraps Sphinx's search.

   Sphinx's search wants every word of the question on a page, and ignores numbers. Here an entry
   is found when all words are words of one of its messages or of its code; when one of them is a key
   (an SQLSTATE, the name of a class); or when most words of a message stand in what was pasted, and
   most of them beside the same words. Real messages carry names and numbers of their own, and a
   traceback around them; the longer message of two is the one that tells more.
   `message_entries.py` writes the entries; the other results follow unchanged. */
(() => {
  "use strict";
  const MOST = 3; // entries shown
  const FIRST = 1000;
  const AFTER_TITLES = 14; // Sphinx gives 15 to a word of a title, 5 to one of the text
  const COVERED = 0.6; // of a message's words, when a whole message is pasted
  const BESIDE = 0.5; // of its pairs of neighbours
  const APART = 3; // neighbours: a name or two may stand between them
  const LONG = 12; // a message of so many pairs cannot be mistaken
  const SUBJECT = 0.05; // more, where the first word is the same: 'coroutine' object has no …
  const NAMED = 0.6; // more, where the first class or SQLSTATE that is named belongs to the entry
  const { page, entries } = JSON.parse(document.getElementById("message-entries").textContent);

  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const html = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
  // $1, 0x7f92 and __asyncpg_stmt_6__ are others each time; psycopg2 is not.
  const fixed = (word) => word.length > 1 && !/^\d|_\w*\d|\d\w*\d/.test(word);
  const unnamed = (text) => text.replace(/["“”„«»][^\s"“”„«»]+["“”„«»]/g, " "); // relation "dishes"
  const likeCode = (word) => /_|[a-z][A-Z]/.test(word); // query_wait_timeout, DetachedInstanceError

  /* Each word with those that follow it within `reach` words. */
  function pairs(list, reach) {
    return list.flatMap((word, here) =>
      list.slice(here + 1, here + 1 + reach).map((next) => `${word} ${next}`));
  }

  function share(wanted, there) {
    return wanted.length ? wanted.filter((one) => there.has(one)).length / wanted.length : 0;
  }

  function prepared(message) {
    const told = words(unnamed(message)).filter(fixed);
    return {
      all: new Set(words(message)),
      near: new Set(pairs(words(message), APART)),
      told,
      pairs: pairs(told, 1),
      alone: told.length === 1 && likeCode(message),
    };
  }

  const known = entries.map((entry) => ({
    ...entry,
    own: entry.messages.map(prepared),
    named: words(entry.keys.join(" ")),
    explained: words(entry.code),
  }));

  const keys = new Set(known.flatMap((entry) => entry.named));

  function read(query) {
    const list = words(query);
    const told = words(unnamed(query)).filter(fixed);
    return {
      count: list.length,
      key: list.find((word) => keys.has(word)),
      words: [...new Set(list)],
      pairs: pairs(list, 1),
      told: new Set(list),
      near: new Set(pairs(told, APART)),
    };
  }

  /* 3 to 4: all that was asked stands in the message; 2 to 3: the message stands in the question;
     1 to 2: what was asked is a part of the message, with other names. */
  function match(message, asked) {
    if (asked.words.every((word) => message.all.has(word))) {
      return 3 + (share(asked.pairs, message.near) + share(message.told, asked.told)) / 2;
    }
    if (message.alone) return asked.told.has(message.told[0]) ? 2.5 : 0;
    const beside = share(message.pairs, asked.near);
    if (beside >= BESIDE && share(message.told, asked.told) >= COVERED) {
      const subject = asked.told.has(message.told[0]) ? SUBJECT : 0;
      return 2 + beside / 2 + Math.min(1, (beside * message.pairs.length) / LONG) / 2 + subject;
    }
    const within = share(asked.pairs, message.near);
    return asked.pairs.length > 2 && within >= COVERED ? 1 + within : 0;
  }

  function score(entry, asked) {
    const best = Math.max(...entry.own.map((message) => match(message, asked)));
    if (best) return best + (entry.named.includes(asked.key) ? NAMED : 0);
    if (asked.words.some((word) => entry.named.includes(word))) return 1.9;
    const all = new Set([...entry.own.flatMap((message) => [...message.all]), ...entry.named, ...entry.explained]);
    return asked.words.every((word) => all.has(word)) ? 0.5 : 0;
  }

  function find(query) {
    const asked = read(query);
    if (!asked.words.length) return [];
    // A few words ("the event loop") may also ask for a lesson, unless one is a key.
    const half = (entry) => entry.own.some((message) => share(message.told, asked.told) >= 0.5);
    const named = (entry) => asked.words.some((word) => entry.named.includes(word));
    const place = (entry) =>
      asked.count > 3 || half(entry) || named(entry) ? FIRST : AFTER_TITLES;
    return known
      .map((entry) => [score(entry, asked), entry])
      .filter(([points]) => points > 0)
      .sort(([a], [b]) => b - a)
      .slice(0, MOST)
      .map(([points, entry]) => [
        page, html(entry.messages.join(" · ")), `#${entry.anchor}`, entry.means, place(entry) + points / 10, `${page}.md`,
      ]);
  }

  const others = Search._performSearch;
  Search._performSearch = (query, ...rest) => {
    // Results are [page, title, anchor, explanation, score, file]; the last one is shown first.
    return [...others(query, ...rest), ...find(query)].sort((a, b) => a[4] - b[4]);
  };
})();
