/* The panel that moves the reader's answers to another device, by a link or by a file.

   Needs: asyncCourse.elements, asyncCourse.packing, asyncCourse.progress, asyncCourse.storage,
   asyncCourse.units.
   Gives: asyncCourse.transfer = { show, actions, openLink, openFile }. */
((course) => {
  "use strict";
  if (course.transfer) return;
  const { all, make, tell } = course.elements;
  const { packing, progress, storage } = course;

  const count = (number) => course.units.counted(number, "answers");
  const offers = new WeakMap(); // panel → answers that wait for the reader's yes

  function show(panel) {
    const known = storage.known().length;
    const words = `This browser holds ${count(known)} of yours.${progress.lost()}`;
    panel.querySelector(".quiz-count").textContent = words;
    panel.querySelector(".quiz-moves").hidden = false;
    progress.showForgetting(panel, known > 0);
    for (const button of all("[data-do=link], [data-do=save]", panel)) button.disabled = !known;
  }

  /** Asks whether the answers that `unpack` returns may be added. */
  function offer(panel, unpack, source) {
    const question = panel.querySelector(":scope > .quiz-question");
    let answers = null;
    try {
      answers = unpack();
    } catch (error) {
      question.hidden = true;
      offers.delete(panel);
      tell(panel, `${error.message} Nothing was changed.`);
      return;
    }
    offers.set(panel, answers);
    tell(panel, "");
    const both = [...answers.keys()].filter((id) => storage.read(id).length).length;
    question.querySelector("p").textContent =
      `${source} holds ${count(answers.size)}, ${answers.size - both} of them new here. ` +
      "Where both have an answer, the earlier one stays the first.";
    question.hidden = false;
    question.focus();
  }

  /** Offers the answers of the page's address, if it holds some. */
  function openLink() {
    const panel = document.querySelector(".quiz-transfer");
    const { hash } = location;
    if (!panel || !packing.isLink(hash)) return;
    history.replaceState(null, "", location.pathname + location.search); // a reload asks no more
    offer(panel, () => packing.fromLink(hash), "This link");
  }

  async function openFile(panel, input) {
    const text = await input.files[0].text();
    input.value = ""; // the same file may be chosen again
    offer(panel, () => packing.fromFile(text), "This file");
  }

  async function copyLink(panel) {
    const label = panel.querySelector(".quiz-link");
    const input = label.querySelector("input");
    label.hidden = false;
    input.value = location.href.split("#")[0] + packing.toLink();
    input.focus();
    input.select();
    const local =
      location.protocol === "file:"
        ? " This page is a file, so the link works on this device alone: use the file."
        : "";
    try {
      await navigator.clipboard.writeText(input.value);
      tell(panel, `The link is copied. Open it on the other device.${local}`);
    } catch {
      tell(panel, `Copy the selected link and open it on the other device.${local}`);
    }
  }

  function saveFile(panel) {
    const link = make("a", "");
    link.href = URL.createObjectURL(new Blob([packing.toFile()], { type: "application/json" }));
    link.download = "my-answers.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    tell(panel, "Saved as my-answers.json. Open this file on the other device.");
  }

  function close(panel, words) {
    offers.delete(panel);
    progress.close(panel, words);
  }

  const actions = {
    "link": copyLink,
    "save": saveFile,
    "merge": (panel) => {
      const answers = offers.get(panel) ?? new Map();
      storage.merge(answers);
      close(panel, `${count(answers.size)} added.`);
    },
    "leave": (panel) => close(panel, "Nothing was changed."),
  };

  course.transfer = { show, actions, openLink, openFile };
})((window.asyncCourse ??= {}));
