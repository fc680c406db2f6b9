/* Answers as a link and as a file, to be opened on another device.

   Needs: asyncCourse.storage.
   Gives: asyncCourse.packing = { toLink, fromLink, isLink, toFile, fromFile }. */
((course) => {
  "use strict";
  if (course.packing) return;
  const { isQuestion, isTries, known, read, SURE } = course.storage;

  const LINK = "1";
  const FILE = "async-course/answers/1";
  const START = "#p=";
  const DAMAGED = "This link is damaged or cut off. Copy it again.";

  /** FNV-1a: finds a link that was cut off or changed on its way; it is no secret. */
  function checksum(text) {
    let sum = 0x811c9dc5;
    for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    return sum.toString(36);
  }

  const isLink = (hash) => hash.startsWith(START);

  /** #p=version.answers.checksum; the answers are "01/one,0.1~sk2f3a~c,2~sk2f4b~;…" in base64. */
  function toLink() {
    const one = ({ value, at, sure = "" }) => [value, at.toString(36), sure.slice(0, 1)].join("~");
    const text = known().map((id) => [id, ...read(id).map(one)].join(",")).join(";");
    const packed = btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    return `${START}${LINK}.${packed}.${checksum(packed)}`;
  }

  /** The answers {id → tries} of a link; raises Error with a sentence for the reader. */
  function fromLink(hash) {
    const [version, packed, sum, ...rest] = hash.slice(START.length).split(".");
    if (version !== LINK && /^\d+$/.test(version)) {
      throw new Error("This link comes from another version of the course.");
    }
    if (version !== LINK || !packed || rest.length || checksum(packed) !== sum) {
      throw new Error(DAMAGED);
    }
    const entries = atob(packed.replace(/-/g, "+").replace(/_/g, "/")).split(";");
    const found = entries.map((entry) => {
      const [id, ...tries] = entry.split(",");
      return [id, tries.map(unpacked)];
    });
    return checked(Object.fromEntries(found), DAMAGED);
  }

  function unpacked(text) {
    const [value, at, mark] = text.split("~");
    const sure = SURE.find((word) => mark && word.startsWith(mark));
    return {
      value: /^\d/.test(value) ? Number(value) : value,
      at: Number.parseInt(at, 36),
      ...(sure && { sure }),
    };
  }

  function toFile() {
    const answers = Object.fromEntries(known().map((id) => [id, read(id)]));
    return JSON.stringify({ schema: FILE, answers }, null, 1);
  }

  /** The answers of a file's text; raises Error like `fromLink`. */
  function fromFile(text) {
    let data = null;
    try {
      data = JSON.parse(text);
    } catch {
      data = null;
    }
    if (data?.schema === FILE) return checked(data.answers, "This file is damaged.");
    const other = String(data?.schema).startsWith("async-course/answers/");
    throw new Error(
      other
        ? "This file comes from another version of the course."
        : "This file holds no answers of this course.",
    );
  }

  function checked(answers, message) {
    const entries = Object.entries(answers || {});
    const good = entries.every(([id, tries]) => isQuestion(id) && isTries(tries));
    if (!entries.length || !good) throw new Error(message);
    return new Map(entries);
  }

  course.packing = { toLink, fromLink, isLink, toFile, fromFile };
})((window.asyncCourse ??= {}));
