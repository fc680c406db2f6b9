/* The ledger's filter: shows the claims that match and says how many they are. Without this script
   the form stays hidden and every claim is on the page. A link to an entry clears the filter. */
(function () {
  "use strict";

  var form = document.querySelector("form.ledger-filter");
  if (!form) return;
  var cards = Array.from(document.querySelectorAll(".ledger-card[data-verdict]"));
  var sections = Array.from(document.querySelectorAll("section.ledger-section"));
  var shown = form.querySelector("[aria-live]");

  function wanted() {
    var data = new FormData(form);
    return { verdicts: data.getAll("verdict"), proof: data.get("proof"), step: data.get("step") };
  }

  function apply() {
    var want = wanted();
    var count = 0;
    cards.forEach(function (card) {
      var match =
        want.verdicts.indexOf(card.dataset.verdict) >= 0 &&
        (!want.proof || card.dataset.proof === want.proof) &&
        (!want.step || card.dataset.step === want.step);
      card.closest("li").hidden = !match;
      if (match) count += 1;
    });
    sections.forEach(function (section) {
      section.hidden = !section.querySelector(".ledger-list > li:not([hidden])");
    });
    shown.textContent = count + " of " + cards.length + " claims shown.";
  }

  function reveal() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target || !target.closest("[hidden]")) return;
    form.reset();
    apply();
    target.scrollIntoView();
  }

  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply); }); // after the fields have changed
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  apply(); // the browser may have kept the reader's choices over a reload
})();
