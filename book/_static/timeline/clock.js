/* The moments of a trace, one after another, at a pace at which people can follow.

   Needs: nothing.
   Gives: asyncCourse.clock = { run }. */
((course) => {
  "use strict";
  if (course.clock) return;

  const SECONDS = 5; // for the whole axis, so that figures that share an axis play alike
  const STEPS = 10; // instead, when the reader asked for less motion
  const PAUSE = 500; // ms between two of these steps

  /**
   * Calls `show(moment)` from `start` to `end`, both in seconds of the trace, then `done()`.
   * Returns the function that stops it.
   */
  function run({ start, end, axis, duration, show, done }) {
    let time = start;
    let timer = 0;
    const goOn = (passed) => {
      time = Math.min(time + passed, end);
      show(time);
      if (time >= end) done();
      return time < end;
    };
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      timer = setInterval(() => goOn(duration / STEPS + duration / 1e9), PAUSE);
      return () => clearInterval(timer);
    }
    let before = performance.now();
    const frame = (moment) => {
      const passed = Math.max(0, moment - before) / 1000;
      before = moment;
      if (goOn((passed * axis) / SECONDS)) timer = requestAnimationFrame(frame);
    };
    timer = requestAnimationFrame(frame);
    return () => cancelAnimationFrame(timer);
  }

  course.clock = { run };
})((window.asyncCourse ??= {}));
