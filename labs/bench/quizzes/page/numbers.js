/* The number that a reader typed: "0,3", ".3", "0.3 s" and "300 ms" are all 0.3 where the unit is s.

   Needs: nothing.
   Gives: asyncCourse.numbers = { parse }. */
((course) => {
  "use strict";
  if (course.numbers) return;

  const SECONDS = {
    s: 1, sec: 1, secs: 1, second: 1, seconds: 1,
    ms: 0.001, msec: 0.001, millisecond: 0.001, milliseconds: 0.001,
    μs: 1e-6, us: 1e-6,
    min: 60, minute: 60, minutes: 60,
  };
  const WHOLE = /\d{1,3}(?:\s\d{3})+|\d+/.source; // "2 000" has a space for the thousands
  const NUMBER = new RegExp(
    `^((?:${WHOLE})(?:[.,]\\d*)?|[.,]\\d+)(e-?\\d{1,2})?\\s*([^\\d\\s.,][^\\d.,]*)?\\.?$`,
  );

  /** {value} in the question's unit, or {problem}: one sentence for the reader. */
  function parse(text, unit) {
    const words = text.normalize("NFKC").trim().toLowerCase().replace(/^(~|≈|about|ca\.?)\s*/, "");
    if (!words) return { problem: "Type a number first, even if it is a guess." };
    const found = NUMBER.exec(words);
    if (!found) return { problem: `“${text.trim()}” is not a number. Write it like 0.3 or 0,3.` };
    const [, digits, power = "", name = ""] = found;
    if (/^[1-9]\d{0,2},\d{3}$/.test(digits)) {
      const [whole, part] = [digits.replace(",", ""), digits.replace(",", ".")];
      return { problem: `“${digits}” can be read in two ways. Write ${whole} or ${part}.` };
    }
    const number = Number(digits.replace(/\s/g, "").replace(",", ".") + power);
    const { factor, problem } = factorOf(name.trim(), unit);
    return problem ? { problem } : { value: Number((number * factor).toPrecision(12)) };
  }

  function factorOf(word, unit) {
    if (!word || word === unit || `${word}s` === unit) return { factor: 1 };
    if (unit !== "s") return { problem: `“${word}” is no unit here. Write the number of ${unit}.` };
    if (Object.hasOwn(SECONDS, word)) return { factor: SECONDS[word] };
    return { problem: `“${word}” is no unit here. Write seconds (s) or milliseconds (ms).` };
  }

  course.numbers = { parse };
})((window.asyncCourse ??= {}));
