/* The speaker's window: the notes of the slide that the room sees, the next slide, and the time.

   Needs: nothing.
   Gives: asyncCourse.speaker = { open, show }.

   The window is empty and this page fills it, so that it also works from `file://`, where two pages
   may not speak to each other. Its arrow keys move the room's slides. */
((course) => {
  "use strict";
  if (course.speaker) return;

  const STYLE = `
    body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: #14181f; background: #fff;
      font: 1.15rem/1.5 system-ui, sans-serif; }
    header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center;
      padding-bottom: 0.5rem; border-bottom: 1px solid #8a94a3; }
    h1 { flex: 1 1 20rem; margin: 0; font-size: 1.3rem; }
    h2 { margin: 1rem 0 0; font-size: 1.05rem; }
    time { font-variant-numeric: tabular-nums; }
    button { min-height: 2.75rem; padding: 0 1rem; border: 2px solid #14181f; border-radius: 0.3rem;
      color: inherit; background: none; font: inherit; cursor: pointer; }
    button:focus-visible { outline: 3px solid #0059a3; outline-offset: 2px; }
    table { border-collapse: collapse; } :is(th, td) { padding: 0.1rem 1rem 0.1rem 0; text-align: left; }
    pre { overflow-x: auto; }`;
  const SECOND = 1000;
  let other = null; // the speaker's window
  let began = 0;
  let move = null; // what its keys and buttons do to the room's slides

  const make = (name, text) => {
    const node = other.document.createElement(name);
    node.textContent = text ?? "";
    return node;
  };

  /** Opens the window, or brings it to the front. `moves` = { next, back }. False when refused. */
  function open(moves, slide, next) {
    if (!other || other.closed) {
      other = window.open("", "speaker", "popup,width=900,height=700");
      if (!other) return false;
      began = Date.now();
      move = moves;
      build();
    }
    other.focus();
    show(slide, next);
    return true;
  }

  function build() {
    const page = other.document;
    page.title = `Speaker: ${document.title}`;
    page.documentElement.lang = "en";
    page.head.replaceChildren(make("style", STYLE));
    const clock = make("time");
    const [back, forward] = [make("button", "Back"), make("button", "Next")];
    back.addEventListener("click", () => move.back());
    forward.addEventListener("click", () => move.next());
    const head = make("header");
    head.append(make("h1"), clock, back, forward);
    const main = make("main");
    page.body.replaceChildren(head, make("p"), main);
    page.addEventListener("keydown", ({ key }) => {
      if (["ArrowRight", "ArrowDown", "PageDown", " "].includes(key)) move.next();
      if (["ArrowLeft", "ArrowUp", "PageUp"].includes(key)) move.back();
    });
    const tick = () => {
      if (other.closed) return;
      const gone = Math.floor((Date.now() - began) / SECOND);
      const seconds = String(gone % 60).padStart(2, "0");
      clock.textContent = `${Math.floor(gone / 60)}:${seconds} since you began`;
      setTimeout(tick, SECOND);
    };
    tick();
  }

  const heading = (slide) => slide.querySelector("h2").textContent;

  /** Shows the notes of `slide`; `next` is the slide after it, or null. */
  function show(slide, next) {
    if (!other || other.closed) return;
    const page = other.document;
    page.querySelector("h1").textContent = heading(slide);
    page.querySelector("body > p").textContent = next ? `Next slide: ${heading(next)}` : "The last slide.";
    const notes = [...slide.querySelector(".notes").childNodes];
    page.querySelector("main").replaceChildren(...notes.map((one) => page.importNode(one, true)));
    other.scrollTo(0, 0);
  }

  course.speaker = { open, show };
})((window.asyncCourse ??= {}));
