"""The documents keep up with the code: a page per technique, a row per quirk, links that lead somewhere."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from keyfence.techniques import TECHNIQUES
from keyfence.techniques.base import Technique
from keyfence.token import Quirks

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "techniques"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")])

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _prose(document: Path) -> str:
    return _FENCED.sub("", document.read_text("utf-8"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _anchors(document: Path) -> set[str]:
    """As GitHub makes them: lower case, spaces to hyphens, punctuation gone."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(_prose(document))}


def _links(document: Path) -> Iterator[tuple[Path, str]]:
    """(file, anchor) of each link into the repository."""
    for link in _LINK.findall(_prose(document)):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield (document.parent / path).resolve() if path else document, anchor


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.id)
def test_a_technique_has_a_page_that_says_what_the_registry_says(technique: Technique) -> None:
    page = (PAGES / f"{technique.id}.md").read_text("utf-8")

    assert page.startswith(f"# {technique.title}\n")
    assert f"| id | `{technique.id}` |" in page
    assert f"| section | {technique.section} |" in page
    assert ("the text of the standard" in page) == technique.standard
    for reference in technique.references:
        assert reference in page
    assert _one_line(technique.remedy) in _one_line(page).replace("`", "")


def test_no_page_is_an_orphan() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {technique.id for technique in TECHNIQUES} | {"README"}


def test_the_index_names_every_technique_with_its_title() -> None:
    index = (PAGES / "README.md").read_text("utf-8")

    for technique in TECHNIQUES:
        assert f"[`{technique.id}`]({technique.id}.md) | {technique.title} |" in index


def test_every_quirk_has_a_row() -> None:
    table = (ROOT / "docs" / "quirks.md").read_text("utf-8")

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {field.name for field in fields(Quirks)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in _links(document):
        assert target.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(target), f"{document.name} links to {target.name}#{anchor}"
