/* What live cells say: sizes, times, and why something is not possible here.

   Needs: nothing.
   Gives: asyncCourse.liveWords = { size, loaded, took, missing, noStacks, failed }. */
((course) => {
  "use strict";
  if (course.liveWords) return;

  const MEGABYTE = 1e6;

  /** A size as one says it: "9 MB". */
  const size = (bytes) => `${Math.max(1, Math.round(bytes / MEGABYTE))} MB`;

  /** How much of it is here: "3.4 of 9.1 MB". */
  const loaded = (bytes, of) =>
    `${(Math.min(bytes, of) / MEGABYTE).toFixed(1)} of ${(of / MEGABYTE).toFixed(1)} MB`;

  /** A time: "0.21 s"; what is too short to be read is "less than 0.01 s". */
  const took = (ms) => (ms < 10 ? "less than 0.01 s" : `${(ms / 1000).toFixed(2)} s`);

  /** Why Python cannot run in this page, as one sentence; empty where it can. */
  function missing(page = window) {
    if (page.location.protocol === "file:") {
      return "This page was opened as a file, and browsers run Python only in pages that a server sends: the recorded output stays.";
    }
    const wanted = ["Worker", "WebAssembly", "DecompressionStream"];
    const lacks = wanted.filter((name) => !page[name]);
    return lacks.length
      ? `This browser cannot run Python in a page, since it has no ${lacks.join(" and no ")}: the recorded output stays.`
      : "";
  }

  /** Why a cell tagged needs-jspi cannot run here; in full the first time on a page. */
  const noStacks = (first) =>
    first
      ? "This cell lets Python wait in threads, for which this browser lacks JSPI (Chromium and Firefox have it): the recorded output stays."
      : "This cell needs JSPI, too: the recorded output stays.";

  /** What to do when Python did not arrive, as [sentence, …]. */
  function failed(reason, online = navigator.onLine) {
    const network = online
      ? "If your network was away for a moment, press Run again."
      : "Your device says that it is offline. Connect it, then press Run again.";
    return [
      `Python did not arrive (${reason}). The recorded output stays.`,
      network,
      "Some companies' networks hold back files of programs, such as .wasm: try another network.",
    ];
  }

  course.liveWords = { size, loaded, took, missing, noStacks, failed };
})((window.asyncCourse ??= {}));
