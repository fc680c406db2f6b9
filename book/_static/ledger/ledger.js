/* The ledger's filter: shows the claims that match and says how many they are. Without this script
   the form stays hidden and every claim is on the page. A link to an entry clears the filter.

   Needs: nothing.
   Gives: nothing; it listens. */
(() => {
  "use strict";
  const form = document.querySelector("form.ledger-filter");
  if (!form) return;
  const cards = [...document.querySelectorAll(".ledger-card[data-verdict]")];
  const sections = [...document.querySelectorAll("section.ledger-section")];
  const shown = form.querySelector("[aria-live]");

  /** Whether a card's data match what the reader has chosen. */
  function matcher() {
    const data = new FormData(form);
    const [verdicts, proof, step] = [data.getAll("verdict"), data.get("proof"), data.get("step")];
    return ({ dataset }) =>
      verdicts.includes(dataset.verdict) &&
      (!proof || dataset.proof === proof) &&
      (!step || dataset.step === step);
  }

  function apply() {
    const matches = matcher();
    for (const card of cards) card.closest("li").hidden = !matches(card);
    for (const section of sections) {
      section.hidden = !section.querySelector(".ledger-list > li:not([hidden])");
    }
    shown.textContent = `${cards.filter(matches).length} of ${cards.length} claims shown.`;
  }

  function reveal() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target?.closest("[hidden]")) return;
    form.reset();
    apply();
    target.scrollIntoView();
  }

  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply)); // after the fields have changed
  addEventListener("hashchange", reveal);
  form.hidden = false;
  apply(); // the browser may have kept the reader's choices over a reload
})();
