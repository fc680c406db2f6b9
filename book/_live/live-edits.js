/* What readers made of the code of live cells, kept in this browser until they press Reset.

   Needs: nothing.
   Gives: asyncCourse.liveEdits = { read, keep }.

   Layout: localStorage["async-course:live:1:notebooks/01-synchronous-queries#1f3a…"] = the code. The
   number after # stands for the book's code: when that changes, an old edit is not brought back. */
((course) => {
  "use strict";
  if (course.liveEdits) return;

  const PREFIX = "async-course:live:1:";

  /** The page's name within the book, wherever the book lies on its host. */
  function pageName() {
    const top = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
    return decodeURI(location.pathname.slice(top.pathname.length)).replace(/\.html$/, "");
  }

  /** A number for a text (FNV-1a, 32 bits). */
  function mark(text) {
    let hash = 0x811c9dc5;
    for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193);
    return (hash >>> 0).toString(16);
  }

  const keyOf = (original) => `${PREFIX}${pageName()}#${mark(original)}`;

  /** What the reader made of this code of the book; null when there is nothing. */
  function read(original) {
    try {
      return localStorage.getItem(keyOf(original));
    } catch {
      return null; // the browser refuses storage: an edit lives as long as the page
    }
  }

  /** Keeps `code`, or forgets what was kept when it is the book's own. */
  function keep(original, code) {
    try {
      if (code === original) localStorage.removeItem(keyOf(original));
      else localStorage.setItem(keyOf(original), code);
    } catch {
      // the same
    }
  }

  course.liveEdits = { read, keep };
})((window.asyncCourse ??= {}));
