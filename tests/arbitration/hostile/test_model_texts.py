import json

import pytest

from openclaw_stream.arbitration.llm.prompt.template import example_answer
from openclaw_stream.vocabulary import Language
from tests.arbitration.hostile.model_texts import copied_sentences, is_repetitive, is_written_in, judgement_texts
from tests.arbitration.llm.model_server import ANSWER, ANSWER_ZH

OWN = {Language.EN: ANSWER, Language.ZH_TW: ANSWER_ZH}


@pytest.mark.parametrize("language", Language)
def test_every_sentence_of_the_example_is_found_in_it(language: Language) -> None:
    texts = judgement_texts(json.loads(example_answer(language)))
    copied = list(copied_sentences(texts, ""))
    assert len(copied) > len(texts)
    assert {"parcel-quotes"} <= set(copied)
    assert list(copied_sentences(texts, " ".join(texts) + "freight")) == []


@pytest.mark.parametrize("language", Language)
def test_an_answer_in_words_of_its_own_has_no_fault(language: Language) -> None:
    texts = [text.replace("parcel-quotes", "cart") for text in judgement_texts(json.loads(OWN[language]))]
    assert list(copied_sentences(texts, "")) == []
    assert not any(map(is_repetitive, texts))
    assert all(is_written_in(language, text) for text in texts)


@pytest.mark.parametrize("text", ["The service is slow for reasons that nobody knows. ", "服務變慢了而且原因不明。"])
def test_a_loop_is_found(text: str) -> None:
    assert is_repetitive(text * 3)
    assert not is_repetitive(text * 2)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.ZH_TW, "The memory of checkout has reached its limit, so the kernel ends it again and again."),
        (Language.EN, "checkout 的記憶體已達上限，因此被核心終止。"),
    ],
)
def test_another_language_is_found(language: Language, text: str) -> None:
    other = Language.EN if language is Language.ZH_TW else Language.ZH_TW
    assert not is_written_in(language, text)
    assert is_written_in(other, text)
