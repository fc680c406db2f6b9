"""The HTML of the ledger: cards, counts and the form of the filter.

`evaluated` are the ids of all claims that notebooks and evidence scripts evaluate; `link` turns
such an id into the HTML that leads to its run. Texts may hold inline Markdown, and no HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from ledger_entries import DOCUMENTS, STEPS, VERDICTS, Claim, Finding, proven
from markdown_it import MarkdownIt

Link = Callable[[str], str]

# No emoji among them: phones would draw those in colours of their own.
SYMBOLS = dict(zip(VERDICTS, "✓≈↺✗!", strict=True))
PROOFS = {
    "proven": "proven so far",
    "not-yet": "not proven yet",
    DOCUMENTS: "settled by documents",
}
_inline = MarkdownIt("commonmark", {"html": False}).renderInline


def state(entry: Finding, evaluated: Collection[str]) -> str:
    """One of PROOFS."""
    if proven(entry, evaluated):
        return "proven"
    return DOCUMENTS if entry.proof_in == DOCUMENTS else "not-yet"


def proof_html(entry: Finding, evaluated: Collection[str], link: Link) -> str:
    if entry.proof_in == DOCUMENTS:
        return "No run can decide it; the source does."
    if entry.proof_in:
        return f"Not yet. Lesson {entry.proof_in} will prove it."
    links = "".join(f"<li>{link(name)}</li>" for name in entry.proven_by)
    missing = "" if proven(entry, evaluated) else "Not complete yet."
    return f'{missing}<ul class="ledger-runs">{links}</ul>'


def card_html(entry: Finding, evaluated: Collection[str], link: Link) -> str:
    proof = state(entry, evaluated)
    rows = [("Source", _inline(entry.source)), ("Proof", proof_html(entry, evaluated, link))]
    if isinstance(entry, Claim):
        head = (
            f'<span class="ledger-symbol" aria-hidden="true">{SYMBOLS[entry.verdict]}</span> '
            f"<strong>{entry.verdict.capitalize()}</strong>"
        )
        rows = [("It says", _inline(entry.sentence)), ("In fact", _inline(entry.truth)), *rows]
        kind = f"ledger-{entry.verdict}"
        data = f' data-verdict="{entry.verdict}" data-step="{entry.step}"'
    else:
        head, kind, data = f"<strong>{_inline(entry.sentence)}</strong>", "ledger-finding", ""
    permalink = (
        f'<a class="ledger-link" href="#claim-{entry.id}" '
        f'aria-label="Link to the entry {entry.id.replace("-", " ")}">#</a>'
    )
    body = "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in rows)
    return (
        f'<div class="ledger-card {kind}" data-proof="{proof}"{data}>'
        f'<p class="ledger-head"><span>{head}</span> {permalink}</p><dl>{body}</dl></div>'
    )


def counts_html(claims: Sequence[Claim], evaluated: Collection[str]) -> str:
    verdicts = Counter(claim.verdict for claim in claims)
    proofs = Counter(state(claim, evaluated) for claim in claims)
    return (
        f'<p class="ledger-counts"><strong>{len(claims)} claims</strong>: '
        + ", ".join(f"{verdicts[one]} {one}" for one in VERDICTS)
        + "; "
        + ", ".join(f"{proofs[one]} {text}" for one, text in PROOFS.items())
        + ".</p>"
    )


def filter_html(claims: Sequence[Claim], evaluated: Collection[str]) -> str:
    """The form; `hidden`, because it does nothing before the script has found it."""
    verdicts = Counter(claim.verdict for claim in claims)
    proofs = Counter(state(claim, evaluated) for claim in claims)
    boxes = "".join(
        f'<label><input type="checkbox" name="verdict" value="{one}" checked> '
        f'<span aria-hidden="true">{SYMBOLS[one]}</span> {one} ({verdicts[one]})</label>'
        for one in VERDICTS
    )
    steps = "".join(f'<option value="{key}">{name}</option>' for key, name in STEPS.items())
    radios = "".join(
        f'<label><input type="radio" name="proof" value="{value}"{checked}> {text}</label>'
        for value, text, checked in [
            ("", f"all ({len(claims)})", " checked"),
            *((one, f"{text} ({proofs[one]})", "") for one, text in PROOFS.items()),
        ]
    )
    return (
        '<form class="ledger-filter" hidden>'
        f"<fieldset><legend>Verdict</legend>{boxes}</fieldset>"
        f"<fieldset><legend>Proof</legend>{radios}</fieldset>"
        '<label class="ledger-step">Place in the document '
        f'<select name="step"><option value="">all</option>{steps}</select></label>'
        '<p class="ledger-shown"><span aria-live="polite">'
        f"{len(claims)} of {len(claims)} claims shown.</span> "
        '<button type="reset">Show all</button></p></form>'
    )
