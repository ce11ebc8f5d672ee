"""The pages made from the schemas are committed as the schemas say, and errors point at headings that exist."""

import re
from pathlib import Path

import write_docs

ROOT = Path(__file__).parents[2]


def anchors(page: str) -> set[str]:
    """The anchors that a Markdown page's headings get on GitHub."""
    headings = re.findall(r"^#+ (.*)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pages_made_from_schemas_are_up_to_date() -> None:
    assert write_docs.stale_pages() == [], "run make docs and commit the pages"


def test_every_anchor_that_an_error_names_exists() -> None:
    page = write_docs.config_page()
    sources = "".join(path.read_text() for path in (ROOT / "scripts/tessera").rglob("*.py"))
    named = set(re.findall(r"config/README\.md#([\w-]+)", sources)) | {
        f"key-{key}" for key in write_docs.CONFIG["properties"]
    }
    assert {anchor for anchor in named if not anchor.endswith("-")} <= anchors(page)
    assert set(write_docs.SAMPLES.names) <= anchors(page)


def test_no_heading_is_there_twice() -> None:
    headings = re.findall(r"^#+ (.*)$", write_docs.config_page(), flags=re.MULTILINE)
    assert len(headings) == len(set(headings))
