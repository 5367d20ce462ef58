"""What a person does on the search page, in a real browser, against a live server."""

import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import SHAPES, Server, Visit


def hits(page: Page) -> Locator:
    return page.locator(".hit")


def titles(page: Page) -> list[str]:
    return page.locator(".hit .title").all_inner_texts()


def settled(page: Page, status: str) -> None:
    """Wait until the page says that; what is on it then belongs to it."""
    expect(page.locator("#status")).to_contain_text(status)


def hand_over(page: Page, event: str, path: Path) -> None:
    """Drop a file on the page, or paste it."""
    page.evaluate(
        """([event, name, data]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, {type: "image/png"}));
            const target = document.querySelector("main");
            if (event === "paste") target.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, clipboardData: transfer}));
            else target.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
        }""",
        [event, path.name, b64encode(path.read_bytes()).decode()],
    )


def test_before_any_search_the_first_objects_are_shown(server: Server, visit: Visit) -> None:
    """An empty page would not say what there is to find; the first collection that can be searched by a picture is chosen, though Notes is before it."""
    page = visit(server.url)

    settled(page, f"{len(SHAPES)} objects")
    assert page.input_value("#collection") == "Shapes"
    assert sorted(titles(page)) == sorted(SHAPES)
    expect(page.locator(".hit.loaded")).to_have_count(len(SHAPES))


def test_a_chosen_file_is_found(server: Server, visit: Visit, pictures: Path) -> None:
    """The search by a picture, as most people do it."""
    page = visit(server.url)
    settled(page, "objects")

    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").click()
    chooser.value.set_files(pictures / "rings.png")

    settled(page, "nearest to your picture first, in")
    assert titles(page)[0] == "rings"
    assert float(hits(page).first.locator(".distance").inner_text()) < 0.001
    expect(page.locator("#query-name")).to_have_text("rings.png")


def test_a_dropped_file_is_found(server: Server, visit: Visit, pictures: Path) -> None:
    """Anywhere on the page: nobody should have to aim."""
    page = visit(server.url)
    settled(page, "objects")

    hand_over(page, "drop", pictures / "disc.png")

    settled(page, "nearest to your picture")
    assert titles(page)[0] == "disc"


def test_a_pasted_picture_is_found(server: Server, visit: Visit, pictures: Path) -> None:
    """A screenshot is in the clipboard, not in a file."""
    page = visit(server.url)
    settled(page, "objects")

    hand_over(page, "paste", pictures / "bars.png")

    settled(page, "nearest to your picture")
    assert titles(page)[0] == "bars"


def test_more_like_this_makes_a_link_that_can_be_shared(server: Server, visit: Visit) -> None:
    """Whoever opens the address sees the same hits."""
    page = visit(server.url)
    settled(page, "objects")

    page.get_by_role("link", name="More like cross").click()

    settled(page, "nearest to “cross” first")
    assert titles(page)[0] == "cross"
    shared = visit(page.url)
    settled(shared, "nearest to “cross” first")
    assert titles(shared) == titles(page)


def test_back_and_forward_walk_through_the_searches(server: Server, visit: Visit, pictures: Path) -> None:
    """A search that the back button loses is a search one dare not leave; a picture that was dropped is still there."""
    page = visit(server.url)
    settled(page, "objects")
    hand_over(page, "drop", pictures / "disc.png")
    settled(page, "nearest to your picture")
    page.get_by_role("link", name="More like bars").click()
    settled(page, "nearest to “bars”")

    page.go_back()
    settled(page, "nearest to your picture")
    assert titles(page)[0] == "disc"
    page.go_back()
    expect(page.locator("#status")).to_have_text(f"{len(SHAPES)} objects")
    page.go_forward()
    settled(page, "nearest to your picture")


def test_after_a_reload_a_dropped_picture_is_asked_for_again(server: Server, visit: Visit, pictures: Path) -> None:
    """It is in no address; showing something else without a word would be a wrong answer."""
    page = visit(server.url)
    settled(page, "objects")
    hand_over(page, "drop", pictures / "disc.png")
    settled(page, "nearest to your picture")

    page.reload()

    expect(page.get_by_role("alert")).to_contain_text("Choose it again")


def test_an_opened_object_shows_everything(server: Server, visit: Visit) -> None:
    """Opened by keyboard: large, with all properties and the id; Escape closes it and gives the focus back."""
    page = visit(server.url + "?collection=Shapes")
    settled(page, "objects")
    link = hits(page).first.locator(".open")
    name = titles(page)[0]

    link.focus()
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    expect(dialog.locator("dt")).to_have_text(["name", "sides", "id"])
    expect(dialog.locator("dd")).to_have_text([name, str(SHAPES.index(name)), re.compile(r"^[0-9a-f-]{36}$")])
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    expect(page).not_to_have_url(re.compile("object="))  # going back takes the browser a moment


def test_an_opened_object_is_a_place(server: Server, visit: Visit) -> None:
    """Its address can be shared, the arrow keys go to its neighbours, the back button closes it."""
    page = visit(server.url + "?collection=Shapes")
    settled(page, "objects")
    first, second = titles(page)[:2]
    hits(page).first.locator(".open").click()
    expect(page.get_by_role("dialog", name=first)).to_be_visible()

    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name=second)).to_be_visible()
    expect(visit(page.url).get_by_role("dialog", name=second)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_words_search_where_a_vector_understands_them(server: Server, visit: Visit) -> None:
    """The collection's first vector sees pictures only; the page takes the one that reads."""
    page = visit(server.url + "?collection=Things")
    settled(page, "objects")

    page.get_by_role("searchbox", name="Search by words").fill("a road sign")
    page.keyboard.press("Enter")

    settled(page, "nearest to “a road sign” first, in")
    assert page.input_value("#target") == "said"
    shared = visit(page.url)
    settled(shared, "nearest to “a road sign”")
    assert titles(shared) == titles(page)
    assert shared.input_value("#words") == "a road sign"


def test_a_filter_narrows_what_is_shown_and_what_is_searched(server: Server, visit: Visit) -> None:
    """One condition in words; it is part of the address, and the next search keeps it."""
    page = visit(f"{server.url}?collection=Things")
    expect(page.locator(".hit")).to_have_count(5)
    page.select_option("#by", "sides")
    page.fill("#value", "3")
    page.press("#value", "Enter")
    expect(page.locator(".hit")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("where sides at least 3")

    page.select_option("#is", "most")
    expect(page.locator(".hit")).to_have_count(4)
    page.locator(".near").first.click(force=True)
    expect(page.locator("#status")).to_contain_text("sides at most 3, nearest to")
    expect(page.locator(".hit")).to_have_count(4)

    page.select_option("#by", "name")
    page.fill("#value", "nobody")
    page.press("#value", "Enter")
    expect(page.locator("#status")).to_have_text("Nothing in Things where name contains nobody.")
    page.reload()
    expect(page.locator("#value")).to_have_value("nobody")
    page.select_option("#by", "")
    expect(page.locator(".hit")).to_have_count(5)


def test_where_no_vector_understands_words_the_page_says_so(server: Server, visit: Visit) -> None:
    """A box that takes words and then fails teaches nothing."""
    page = visit(server.url + "?collection=Shapes")

    expect(page.locator("#words")).to_be_disabled()
    expect(page.locator("#hint")).to_contain_text("img2vec-neural does not understand words")
    page.select_option("#collection", "Notes")
    expect(page.locator("#hint")).to_contain_text("more like this")
    expect(page.get_by_role("button", name="Picture")).to_be_disabled()


def test_an_error_is_the_servers_own(server: Server, visit: Visit, tmp_path: Path) -> None:
    """It says what was wrong and what to do; anything the page made up would say less."""
    page = visit(server.url)
    settled(page, "objects")
    (tmp_path / "broken.png").write_bytes(b"this is no picture")

    hand_over(page, "drop", tmp_path / "broken.png")

    expect(page.get_by_role("alert")).to_be_visible()
    image = b64encode(b"this is no picture").decode()
    answer = httpx.post(f"{server.url}v1/search/Shapes/near-image", json={"image": image})
    expect(page.get_by_role("alert")).to_have_text(answer.json()["error"][0]["message"])
    page.locator("#query-clear").click()
    settled(page, "objects")
    expect(page.locator("#error")).to_be_hidden()


def test_a_link_to_a_collection_that_is_gone_says_so(server: Server, visit: Visit) -> None:
    """Old links happen; the others are still a choice away."""
    page = visit(server.url + "?collection=Gone")

    expect(page.get_by_role("alert")).to_contain_text("no collection Gone")
    page.select_option("#collection", "Shapes")
    settled(page, "objects")


def test_an_empty_database_says_how_to_fill_it(empty_server: Server, visit: Visit, pictures: Path) -> None:
    """The first thing that many see. The Python on it is run as it stands, but for the folder and the second port, which a page cannot know."""
    page = visit(empty_server.url)

    expect(page.get_by_role("heading", name="Put some pictures in")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("#shell")).to_contain_text(f"nearimage index FOLDER --url {empty_server.url.rstrip('/')}")
    code = page.locator("#python").inner_text().replace("FOLDER", str(pictures)).replace("*.jpg", "*.png")
    code = re.sub(r"port=(\d+)", rf"port=\1, grpc_port={empty_server.grpc_port}", code)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    page.get_by_role("link", name="Look again").click()
    settled(page, f"{len(SHAPES)} objects")


def test_what_users_stored_is_never_html(server: Server, visit: Visit) -> None:
    """A property may hold anything, a script too."""
    page = visit(server.url + "?collection=Notes")

    settled(page, "2 objects")
    expect(page.locator(".hit .text")).to_have_count(2)
    assert sorted(page.locator(".hit .text").all_inner_texts()) == ["<img src=x onerror=alert(0)>", "<img src=x onerror=alert(1)>"]
    assert page.locator(".hit img").count() == 0


def test_the_page_talks_to_its_own_server_only(server: Server, visit: Visit, pictures: Path) -> None:
    """It works without the internet, and tells nobody what is searched; its own policy finds nothing to refuse."""
    page = visit("about:blank")
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(error.message))

    page.goto(server.url)
    settled(page, "objects")
    hand_over(page, "drop", pictures / "disc.png")
    settled(page, "nearest to your picture")
    expect(page.locator(".hit.loaded")).to_have_count(len(SHAPES))

    assert [url for url in asked if not url.startswith((server.url, f"blob:{server.url}", "data:image/svg"))] == []
    assert complaints == []


def test_it_fits_a_phone_in_the_dark(server: Server, visit: Visit) -> None:
    """Nothing to scroll sideways, and no white flash at night."""
    page = visit(server.url + "?collection=Things", width=360, dark=True)
    settled(page, "objects")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 19, 21)"
    hits(page).first.locator(".open").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
