/* The reader's answers, kept in this browser: for each question the first one and a second try.

   Needs: nothing.
   Gives: asyncCourse.storage = { read, add, merge, forget, known, refuses, onChange, isQuestion,
   isTries, SURE }.

   Layout: localStorage["async-course:quiz:1:01/one-word-def"] = {"tries": [{value, at, sure?}, …]},
   at most two; value is a number or an option's id, at is seconds since 1970. Where the browser
   refuses storage, answers live as long as the page. Another layout needs another number after
   "quiz:", and the same number in LINK and FILE of packing.js. */
((course) => {
  "use strict";
  if (course.storage) return;

  const PREFIX = "async-course:quiz:1:";
  const SURE = ["guess", "fairly", "certain"];
  const memory = new Map(); // what this page knows when the browser refuses storage
  const listeners = [];
  let refused = false;

  const isQuestion = (id) => /^\d\d\/[a-z][a-z0-9-]*$/.test(id);
  const isValue = (value) =>
    typeof value === "number"
      ? Number.isFinite(value) && value >= 0
      : /^[a-z][a-z0-9-]*$/.test(value);
  const isTry = (one) =>
    one &&
    Number.isSafeInteger(one.at) &&
    one.at > 0 &&
    isValue(one.value) &&
    (one.sure === undefined || SURE.includes(one.sure));
  const isTries = (tries) =>
    Array.isArray(tries) && tries.length > 0 && tries.length <= 2 && tries.every(isTry);

  /** What `work` returns; undefined where the browser refuses. */
  function withStorage(work) {
    try {
      return work(localStorage);
    } catch {
      refused = true;
      return undefined;
    }
  }

  /** The tries of a question, first answer first. Foreign or damaged entries count as none. */
  function read(id) {
    const kept = withStorage((storage) => storage.getItem(PREFIX + id)) ?? null;
    if (kept === null) return (refused && memory.get(id)) || [];
    try {
      const { tries } = JSON.parse(kept);
      return isTries(tries) ? tries : [];
    } catch {
      return [];
    }
  }

  function write(id, tries) {
    memory.set(id, tries);
    withStorage((storage) => storage.setItem(PREFIX + id, JSON.stringify({ tries })));
  }

  /** `known()`: the ids of all questions that have an answer, in order. */
  function known() {
    const keys = withStorage((storage) => Object.keys(storage)) ?? [];
    const kept = keys.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
    const ids = new Set([...memory.keys(), ...kept]);
    return [...ids].filter((id) => isQuestion(id) && read(id).length).sort();
  }

  /** Adds an answer, given now, to the earlier `tries` of the question. */
  function add(id, tries, value, sure) {
    const at = Math.floor(Date.now() / 1000);
    write(id, [...tries, { value, at, ...(sure && { sure }) }]);
    changed({ replaced: false });
  }

  /** Adds answers {id → tries}. Of all tries the earliest is the first answer. */
  function merge(answers) {
    for (const [id, theirs] of answers) {
      const mine = read(id);
      const isNew = (one) => !mine.some((old) => old.at === one.at && old.value === one.value);
      const tries = [...mine, ...theirs.filter(isNew)];
      tries.sort((a, b) => a.at - b.at || (String(a.value) < String(b.value) ? -1 : 1));
      write(id, tries.slice(0, 2));
    }
    changed({ replaced: true });
  }

  function forget(ids) {
    for (const id of ids) {
      memory.delete(id);
      withStorage((storage) => storage.removeItem(PREFIX + id));
    }
    changed({ replaced: true });
  }

  /** `listen({replaced})`: answers were added, or (replaced) forgotten or changed elsewhere. */
  const onChange = (listen) => listeners.push(listen);
  const changed = (what) => listeners.forEach((listen) => listen(what));
  addEventListener("storage", ({ key }) => {
    if (!key || key.startsWith(PREFIX)) changed({ replaced: true });
  });

  course.storage = {
    read, add, merge, forget, known, onChange, isQuestion, isTries, SURE,
    refuses: () => refused,
  };
})((window.asyncCourse ??= {}));
