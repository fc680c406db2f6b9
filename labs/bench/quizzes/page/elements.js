/* Small help with the page's elements. What a reader typed becomes text and never markup.

   Needs: nothing.
   Gives: asyncCourse.elements = { all, each, make, draw, tell }. */
((course) => {
  "use strict";
  if (course.elements) return;

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /** Does `work` with each element. One that is broken is named in the console and stops no other. */
  function each(elements, work) {
    for (const one of elements) {
      try {
        work(one);
      } catch (error) {
        console.warn("A part of this page does not work:", one, error);
      }
    }
  }

  /** A new element; strings among the children become text. */
  function make(name, className, ...children) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...children);
    return made;
  }

  /** A new SVG element at the end of `parent`. */
  function draw(parent, name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  /** Shows `words` in the message line of a card or a panel, where a screen reader reads them. */
  function tell(box, words) {
    box.querySelector(":scope > .quiz-message").textContent = words;
  }

  course.elements = { all, each, make, draw, tell };
})((window.asyncCourse ??= {}));
