"""What counts as a sentence, as a word and as belittling."""

from __future__ import annotations

from bench.language import belittling, long_sentences, sentences, words

LONG = " ".join(["word"] * 26)


def test_a_long_sentence_is_found_and_code_is_none():
    text = f"A short one. {LONG}.\n\n- {LONG}\n- two"
    assert [words(one) for one in sentences(text)] == [3, 26, 26, 1]
    assert long_sentences(text) == [f"{LONG}.", f"- {LONG}"]
    assert list(sentences(f"```python\n{LONG}\n```\n")) == []


def test_a_dash_is_no_word_and_25_are_short():
    assert words("one – two") == 2
    assert long_sentences(" ".join(["word"] * 25)) == []


def test_a_belittling_word_is_found_in_prose_alone():
    assert belittling("It is just a pool. Of course it waits.") == ["just", "Of course"]
    assert belittling("An adjusted pool waits.\n\n```python\njust = 1\n```\n") == []
