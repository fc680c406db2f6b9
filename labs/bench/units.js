/* Numbers with their units: "2 threads", but "1 thread". The same rule as in units.py.

   Needs: nothing.
   Gives: asyncCourse.units = { counted }. */
((course) => {
  "use strict";
  if (course.units) return;

  /** `number` and `unit`, which is a symbol ("s", "ms") or a plural: "threads", "queries". */
  function counted(number, unit) {
    const one = String(number) === "1" && unit.length > 2 && unit.endsWith("s");
    const name = one ? unit.replace(/ies$/, "ys").slice(0, -1) : unit;
    return `${number} ${name}`.trim();
  }

  course.units = { counted };
})((window.asyncCourse ??= {}));
