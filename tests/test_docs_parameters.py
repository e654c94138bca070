"""docs/parameters.md says what the registry says."""

from playground import parameters
from playground.parameters import parameters_page


def test_the_document_is_fresh() -> None:
    written = parameters_page.FILE.read_text(encoding="utf-8")
    assert written == parameters_page.render(), "run: python -m playground.parameters.parameters_page"


def test_every_parameter_is_there_with_both_languages_its_flag_and_its_range() -> None:
    written = parameters_page.FILE.read_text(encoding="utf-8")
    for parameter in parameters.REGISTRY:
        section = written.split(f"### {parameter.name}\n")[1].split("\n### ")[0]
        texts = (parameter.help, parameter.formula)
        for said in (*(text.en for text in texts), *(text.zh for text in texts), f"`{parameter.flag}`"):
            assert said in section
        assert parameter.range_text().en in section
