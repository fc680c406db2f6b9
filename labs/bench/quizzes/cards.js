/* The quiz cards' script: commit before the reply, keep the first answer, count, move, forget.

   The cards (bench/quizzes.py) work without it; it needs no library and makes no request.

   For other scripts, such as figures that draw the reader's guess:
   - When a number is first committed, `document` gets the event "course:guess" with
     detail {id: "01/one-word-def", value: 0.1, unit: "s"}. The value is the first answer, in the
     question's unit; a second try sends nothing.
   - Answers of an earlier visit are sent when the card appears, and once more when the page has
     loaded, so that a script that runs after this one hears them. The same guess may come twice.
   - A forgotten answer is sent with value null.
   - courseQuiz.guesses() returns all guesses of this page as a list of such details.
   - courseQuiz.read(id) returns the tries of a question, first answer first.

   Storage: localStorage["async-course:quiz:1:01/one-word-def"] = {"tries": [{value, at, sure?}, …]},
   at most two; value is a number or an option's id, at is seconds since 1970. Where the browser
   refuses storage, answers live as long as the page. Another layout needs another number after
   "quiz:", and the same number in LINK and FILE below. */
(() => {
  "use strict";
  if (window.courseQuiz) { window.courseQuiz.scan(); return; }

  const PREFIX = "async-course:quiz:1:";
  const LINK = "1";
  const FILE = "async-course/answers/1";
  const QUESTION = /^\d\d\/[a-z][a-z0-9-]*$/;
  const RIGHT = "The right answer";
  const SURE = ["guess", "fairly", "certain"];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const now = () => Math.floor(Date.now() / 1000);

  // ------------------------------------------------------------------------------- storage

  const memory = new Map(); // what this page knows when the browser refuses storage
  let refused = false;

  const isTry = (one) => one && Number.isSafeInteger(one.at) && one.at > 0
    && (typeof one.value === "number" ? Number.isFinite(one.value) && one.value >= 0 : /^[a-z][a-z0-9-]*$/.test(one.value))
    && (one.sure === undefined || SURE.includes(one.sure));
  const isTries = (tries) => Array.isArray(tries) && tries.length > 0 && tries.length <= 2 && tries.every(isTry);

  function read(id) {
    let kept = null;
    try { kept = localStorage.getItem(PREFIX + id); } catch { refused = true; }
    if (kept === null) return (refused && memory.get(id)) || [];
    try {
      const { tries } = JSON.parse(kept);
      return isTries(tries) ? tries : [];
    } catch { return []; }
  }

  function write(id, tries) {
    memory.set(id, tries);
    try { localStorage.setItem(PREFIX + id, JSON.stringify({ tries })); } catch { refused = true; }
  }

  function forget(ids) {
    for (const id of ids) {
      memory.delete(id);
      try { localStorage.removeItem(PREFIX + id); } catch { refused = true; }
    }
  }

  function answered() {
    const ids = new Set(memory.keys());
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) ids.add(key.slice(PREFIX.length));
    } catch { refused = true; }
    return [...ids].filter((id) => QUESTION.test(id) && read(id).length).sort();
  }

  // ------------------------------------------------------------------------------- numbers

  const SECONDS = { s: 1, sec: 1, secs: 1, second: 1, seconds: 1, ms: 0.001, millisecond: 0.001, milliseconds: 0.001, msec: 0.001,
    "μs": 1e-6, us: 1e-6, min: 60, minute: 60, minutes: 60 };

  // "0,3", ".3", "0.3 s" and "300 ms" are all 0.3 where the unit is s. → {value} or {problem}
  function parseNumber(text, unit) {
    const words = text.normalize("NFKC").trim().toLowerCase().replace(/^(~|≈|about|ca\.?)\s*/, "");
    if (!words) return { problem: "Type a number first, even if it is a guess." };
    const found = /^((?:\d{1,3}(?:\s\d{3})+|\d+)(?:[.,]\d*)?|[.,]\d+)(e-?\d{1,2})?\s*([^\d\s.,][^\d.,]*)?\.?$/.exec(words);
    if (!found) return { problem: `“${text.trim()}” is not a number. Write it like 0.3 or 0,3.` };
    const [, digits, power = "", name = ""] = found;
    if (/^[1-9]\d{0,2},\d{3}$/.test(digits)) {
      return { problem: `“${digits}” can be read in two ways. Write ${digits.replace(",", "")} or ${digits.replace(",", ".")}.` };
    }
    const number = Number(digits.replace(/\s/g, "").replace(",", ".") + power);
    const word = name.trim();
    let factor = 1;
    if (unit === "s" && word) {
      if (!Object.hasOwn(SECONDS, word)) return { problem: `“${word}” is no unit here. Write seconds (s) or milliseconds (ms).` };
      factor = SECONDS[word];
    } else if (word && word !== unit && `${word}s` !== unit) {
      return { problem: `“${word}” is no unit here. Write the number of ${unit}.` };
    }
    return { value: Number((number * factor).toPrecision(12)) };
  }

  // ---------------------------------------------------------------------------------- cards

  // One of something is written in the singular, as in bench/units.py.
  const unitName = (unit, value) => {
    if (unit === "s") return "seconds";
    return value === 1 ? unit.replace(/ies$/, "y").replace(/s$/, "") : unit;
  };
  const radios = (card) => all(".quiz-ask input[type=radio]", card);
  const field = (card) => card.querySelector(".quiz-number input");
  const tell = (box, words) => { box.querySelector(":scope > .quiz-message").textContent = words; };

  function chosen(card) {
    if (field(card)) return parseNumber(field(card).value, card.dataset.unit);
    const radio = radios(card).find((one) => one.checked);
    return radio ? { value: radio.value } : { problem: "Choose an answer first, even if it is a guess." };
  }

  function replyTo(card, value) {
    const inside = (spans) => spans.split(" ").some((span) => {
      const [low, high] = span.split("..").map(Number);
      return low - 1e-9 <= value && value <= high + 1e-9;
    });
    return all(".quiz-all li", card).find((li) => (typeof value === "number"
      ? li.dataset.ranges === undefined || inside(li.dataset.ranges) : li.dataset.option === value));
  }

  function shown(card, value) {
    if (typeof value === "number") return [`${value} ${unitName(card.dataset.unit, value)}`];
    const radio = radios(card).find((one) => one.value === value);
    return radio ? [...radio.nextElementSibling.cloneNode(true).childNodes] : ["an answer that this question no longer offers"];
  }

  function element(name, className, ...children) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...children);
    return made;
  }

  function replyBox(card, title, value, sure) {
    const li = replyTo(card, value);
    const right = Boolean(li?.hasAttribute("data-right"));
    const box = element("div", "quiz-reply");
    box.toggleAttribute("data-right", right);
    const words = sure ? ` · ${{ guess: "a guess", fairly: "fairly sure", certain: "certain" }[sure]}` : "";
    const verdict = right ? "✓ The experiment agrees." : "The experiment shows something else.";
    box.append(element("p", "quiz-try", title + words), element("p", "quiz-answer", ...shown(card, value)));
    if (title !== RIGHT) box.append(element("p", "quiz-verdict", verdict));
    if (li) box.append(li.querySelector(".quiz-say").cloneNode(true));
    const cell = li && `claim-${li.dataset.claim}`;
    if (cell && document.getElementById(cell)) {
      const link = element("a", "", "Go to the experiment");
      link.href = `#${cell}`;
      box.append(element("p", "", link));
    }
    return box;
  }

  function state(card) {
    const tries = read(card.dataset.quiz).filter((one) => (typeof one.value === "number") === Boolean(field(card)));
    const rights = tries.map((one) => Boolean(replyTo(card, one.value)?.hasAttribute("data-right")));
    return { tries: rights[0] ? tries.slice(0, 1) : tries, done: rights[0] || tries.length > 1, known: rights.includes(true) };
  }

  function render(card) {
    const { tries, done, known } = state(card);
    const boxes = tries.map((one, at) => [at ? "Second try" : "First answer", one.value, one.sure]);
    if (done && !known) {
      const right = card.querySelector(".quiz-all [data-right]");
      boxes.push([RIGHT, right.dataset.option ?? Number.parseFloat(right.textContent), undefined]);
    }
    const replies = card.querySelector(".quiz-replies");
    const keys = boxes.map((box) => JSON.stringify(box));
    if (all(".quiz-reply", replies).some((box, at) => box.dataset.key !== keys[at])) replies.replaceChildren();
    for (const [at, box] of boxes.entries()) { // add what is new, so that only this is read aloud
      if (replies.children[at]) continue;
      const made = replyBox(card, ...box);
      made.dataset.key = keys[at];
      replies.append(made);
    }
    all(".quiz-mark", card).forEach((mark) => mark.remove());
    for (const radio of radios(card)) {
      const marks = tries.flatMap((one, at) => (one.value === radio.value ? [at ? "second try" : "first answer"] : []));
      if (done && replyTo(card, radio.value)?.hasAttribute("data-right")) marks.push("✓ right");
      if (marks.length) radio.closest("label").append(element("span", "quiz-mark", marks.join(" · ")));
    }
    const commit = card.querySelector(".quiz-commit");
    commit.textContent = tries.length ? "Commit a second try" : "Commit to this answer";
    commit.disabled = commit.hidden = done;
    all("fieldset", card).forEach((set) => { set.disabled = done || (tries.length > 0 && set.className === "quiz-sure"); });
    card.querySelector(".quiz-all").hidden = !tries.length;
    guess(card, tries[0]);
  }

  function start(card) {
    card.dataset.ready = "";
    const last = state(card).tries.at(-1);
    if (last && field(card)) field(card).value = String(last.value);
    radios(card).forEach((radio) => { radio.checked = radio.value === last?.value; });
    const { sure } = state(card).tries[0] || {};
    all(".quiz-sure input", card).forEach((radio) => { radio.checked = radio.value === sure; });
    render(card);
  }

  function commit(card) {
    const { tries, done } = state(card);
    if (done) return;
    const { value, problem } = chosen(card);
    const first = field(card) || radios(card)[0];
    const again = tries.some((one) => one.value === value) && "This is your first answer. Give another one, or open all answers below.";
    field(card)?.setAttribute("aria-invalid", String(Boolean(problem)));
    tell(card, problem || again || "");
    if (problem || again) { first.focus(); return; }
    const sure = all(".quiz-sure input", card).find((radio) => radio.checked)?.value;
    write(card.dataset.quiz, [...tries, { value, at: now(), ...(sure && !tries.length && { sure }) }]);
    refresh();
    if (state(card).done) card.querySelector(".quiz-all summary").focus(); // the button is gone
  }

  const guesses = new Map();
  function guess(card, first) {
    const id = card.dataset.quiz;
    const value = field(card) ? first?.value ?? null : null;
    if ((guesses.get(id)?.value ?? null) === value) return;
    if (value === null) guesses.delete(id); else guesses.set(id, { id, value, unit: card.dataset.unit });
    announce({ id, value, unit: card.dataset.unit });
  }
  const announce = (detail) => document.dispatchEvent(new CustomEvent("course:guess", { detail }));

  // ------------------------------------------------------------- progress, forgetting, moving

  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const lost = () => (refused ? " This browser keeps no answers: they are gone when you leave the page." : "");

  function showProgress(box) {
    const ids = box.dataset.items.split(" ").filter(Boolean);
    const done = ids.filter((id) => read(id).length).length;
    box.querySelector(".quiz-count").textContent = `${done} of ${count(ids.length, "question")} answered.${lost()}`;
    const bar = box.querySelector("progress");
    bar.hidden = false;
    bar.value = done;
    box.querySelector(".quiz-forget").hidden = !done;
  }

  function showTransfer(box) {
    const known = answered().length;
    box.querySelector(".quiz-count").textContent = `This browser holds ${count(known, "answer")} of yours.${lost()}`;
    box.querySelector(".quiz-moves").hidden = false;
    box.querySelector(".quiz-forget").hidden = !known;
    all("[data-do=link], [data-do=save]", box).forEach((button) => { button.disabled = !known; });
  }

  // FNV-1a: finds a link that was cut off or changed on its way; it is no secret.
  function checksum(text) {
    let sum = 0x811c9dc5;
    for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    return sum.toString(36);
  }

  // version.answers.checksum; the answers are "01/one-word-def,0.1~sk2f3a~c,2~sk2f4b~;…" in base64
  function toLink() {
    const one = ({ value, at, sure }) => [value, at.toString(36), (sure || "").slice(0, 1)].join("~");
    const text = answered().map((id) => [id, ...read(id).map(one)].join(",")).join(";");
    const packed = btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    return `#p=${LINK}.${packed}.${checksum(packed)}`;
  }

  function fromLink(hash) {
    const [version, packed, sum, ...rest] = hash.slice(3).split(".");
    if (version !== LINK && /^\d+$/.test(version)) throw new Error("This link comes from another version of the course.");
    if (version !== LINK || !packed || rest.length || checksum(packed) !== sum) throw new Error("This link is damaged or cut off. Copy it again.");
    const found = {};
    for (const entry of atob(packed.replace(/-/g, "+").replace(/_/g, "/")).split(";")) {
      const [id, ...tries] = entry.split(",");
      found[id] = tries.map((one) => {
        const [value, at, mark] = one.split("~");
        const sure = SURE.find((word) => mark && word.startsWith(mark));
        return { value: /^\d/.test(value) ? Number(value) : value, at: Number.parseInt(at, 36), ...(sure && { sure }) };
      });
    }
    return checked(found, "This link is damaged or cut off. Copy it again.");
  }

  function fromFile(text) {
    const message = "This file holds no answers of this course.";
    let data = null;
    try { data = JSON.parse(text); } catch { throw new Error(message); }
    if (data?.schema !== FILE && String(data?.schema).startsWith("async-course/answers/")) throw new Error("This file comes from another version of the course.");
    if (data?.schema !== FILE) throw new Error(message);
    return checked(data.answers, "This file is damaged.");
  }

  function checked(answers, message) {
    const entries = Object.entries(answers || {});
    if (!entries.length || !entries.every(([id, tries]) => QUESTION.test(id) && isTries(tries))) throw new Error(message);
    return new Map(entries);
  }

  // Of all tries for a question the earliest is the first answer, the next one the second try.
  function merged(mine, theirs) {
    const tries = [...mine];
    for (const one of theirs) if (!tries.some((known) => known.at === one.at && known.value === one.value)) tries.push(one);
    return tries.sort((a, b) => a.at - b.at || (String(a.value) < String(b.value) ? -1 : 1)).slice(0, 2);
  }

  const offers = new WeakMap(); // transfer box → answers that wait for the reader's yes

  function offer(box, read_, source) {
    let answers = null;
    const question = box.querySelector(":scope > .quiz-question");
    try { answers = read_(); } catch (error) {
      question.hidden = true;
      offers.delete(box);
      tell(box, `${error.message} Nothing was changed.`);
      return;
    }
    offers.set(box, answers);
    tell(box, "");
    const both = [...answers.keys()].filter((id) => read(id).length).length;
    question.querySelector("p").textContent = `${source} holds ${count(answers.size, "answer")}, ${answers.size - both} of them new here. `
      + "Where both have an answer, the earlier one stays the first.";
    question.hidden = false;
    question.focus();
  }

  function openLink() {
    const box = document.querySelector(".quiz-transfer");
    if (!box || !location.hash.startsWith("#p=")) return;
    const { hash } = location;
    history.replaceState(null, "", location.pathname + location.search); // a reload asks no more
    offer(box, () => fromLink(hash), "This link");
  }

  async function copyLink(box) {
    const label = box.querySelector(".quiz-link");
    const input = label.querySelector("input");
    label.hidden = false;
    input.value = location.href.split("#")[0] + toLink();
    input.focus();
    input.select();
    const local = location.protocol === "file:" ? " This page is a file, so the link works on this device alone: use the file." : "";
    try {
      await navigator.clipboard.writeText(input.value);
      tell(box, `The link is copied. Open it on the other device.${local}`);
    } catch {
      tell(box, `Copy the selected link and open it on the other device.${local}`);
    }
  }

  function saveFile(box) {
    const answers = Object.fromEntries(answered().map((id) => [id, read(id)]));
    const link = element("a", "");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ schema: FILE, answers }, null, 1)], { type: "application/json" }));
    link.download = "my-answers.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    tell(box, "Saved as my-answers.json. Open this file on the other device.");
  }

  const actions = {
    "link": copyLink,
    "save": saveFile,
    "merge": (box) => {
      const answers = offers.get(box) || new Map();
      for (const [id, tries] of answers) write(id, merged(read(id), tries));
      closeQuestion(box, `${count(answers.size, "answer")} added.`);
      restart();
    },
    "leave": (box) => closeQuestion(box, "Nothing was changed."),
    "forget": (box) => {
      const question = box.querySelector(".quiz-forget .quiz-question");
      tell(box, "");
      question.hidden = false;
      question.focus();
    },
    "forget-yes": (box) => {
      forget(box.dataset.items?.split(" ") ?? answered());
      restart();
      closeQuestion(box, "Forgotten.");
    },
    "forget-no": (box) => {
      closeQuestion(box, "Your answers are kept.");
      box.querySelector("[data-do=forget]").focus();
    }
  };

  function closeQuestion(box, words) {
    offers.delete(box);
    all(".quiz-question", box).forEach((question) => { question.hidden = true; });
    tell(box, words);
    box.tabIndex = -1;
    box.focus(); // the button that was pressed is gone
  }

  // ---------------------------------------------------------------------------------- wiring

  const panels = ".quiz-progress, .quiz-transfer";
  const showPanel = (box) => (box.matches(".quiz-progress") ? showProgress(box) : showTransfer(box));

  function refresh() {
    all(".quiz[data-ready]").forEach(render);
    all(panels).forEach(showPanel);
  }

  function restart() { // what the fields show may have been forgotten, or answered elsewhere
    all(".quiz[data-ready]").forEach((card) => {
      card.reset();
      all(".quiz-message, .quiz-reading", card).forEach((line) => { line.textContent = ""; });
      start(card);
    });
    all(panels).forEach(showPanel);
  }

  function scan() {
    const fresh = all(".quiz:not([data-ready])");
    const boxes = all(`:is(${panels}):not([data-ready])`);
    fresh.forEach(start);
    boxes.forEach((box) => { box.dataset.ready = ""; showPanel(box); });
    if (boxes.some((box) => box.matches(".quiz-transfer"))) openLink();
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".quiz")) return;
    event.preventDefault();
    commit(event.target);
  });
  document.addEventListener("keydown", (event) => { // first of all: JupyterLab takes Enter away from text fields
    if (event.key !== "Enter" || event.isComposing || !event.target.matches?.(".quiz input")) return;
    event.preventDefault();
    event.stopPropagation();
    commit(event.target.form);
  }, true);
  document.addEventListener("input", (event) => {
    const card = event.target.closest(".quiz");
    if (!card) return;
    tell(card, "");
    if (event.target !== field(card)) return;
    event.target.removeAttribute("aria-invalid");
    const { value } = parseNumber(event.target.value, card.dataset.unit);
    const plain = value === undefined || String(value) === event.target.value.trim();
    card.querySelector(".quiz-reading").textContent = plain ? "" : `= ${value} ${unitName(card.dataset.unit, value)}`;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do]");
    const box = button?.closest(panels);
    if (box) actions[button.dataset.do](box);
  });
  document.addEventListener("change", async (event) => {
    const box = event.target.closest?.(".quiz-transfer");
    const file = box && event.target.type === "file" && event.target.files[0];
    if (!file) return;
    const text = await file.text();
    event.target.value = ""; // the same file may be chosen again
    offer(box, () => fromFile(text), "This file");
  });
  addEventListener("storage", (event) => { if (!event.key || event.key.startsWith(PREFIX)) restart(); });
  addEventListener("hashchange", openLink);
  addEventListener("DOMContentLoaded", () => { scan(); guesses.forEach(announce); });

  window.courseQuiz = { scan, read, parseNumber, guesses: () => [...guesses.values()] };
  scan();
  let waiting = null; // notebooks show their cards when a cell has run
  new MutationObserver(() => { waiting ??= setTimeout(() => { waiting = null; scan(); }, 50); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
