from bs4 import BeautifulSoup

from bcfstats.show.page import html_table

HOSTILE = "<script>alert(1)</script>"


def test_table_has_caption_scopes_and_no_empty_cell():
    page = BeautifulSoup(
        html_table(["A", "B"], [["row", ""], [HOSTILE, "1"]], "What it holds"), "html.parser"
    )
    assert page.caption.get_text() == "What it holds"
    assert [cell["scope"] for cell in page.thead.find_all("th")] == ["col", "col"]
    assert [cell["scope"] for cell in page.tbody.find_all("th")] == ["row", "row"]
    assert all(cell.get_text().strip() for cell in page.find_all(["td", "th"]))
    assert page.find("script") is None
