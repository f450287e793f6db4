"""The RO-Crate of a study: valid by the standard's own validator, whole or absent, and silent about this machine."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
import re
import sys
import warnings
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import msgspec
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from rocrate import vocabs
from rocrate.rocrate import ROCrate
from rocrate_validator import services
from support.made import kept, record
from support.pictures import picture
from support.properties import held

import jupyter_imagegen as ig
from jupyter_imagegen.blobs import keep_input
from jupyter_imagegen.catalogue import load
from jupyter_imagegen.errors import SettingsError, StoreError
from jupyter_imagegen.exports import crate
from jupyter_imagegen.exports.manifest import NAME as MANIFEST
from jupyter_imagegen.exports.study import Study
from jupyter_imagegen.image import sniff
from jupyter_imagegen.journal import Ended, Input, Kept, Noted, Rated
from jupyter_imagegen.records import Record, read

METADATA: Final = "ro-crate-metadata.json"
PROFILES: Final = ("ro-crate-1.1", "process-run-crate-0.5")

# Each was looked up in the context of RO-Crate 1.1, which no package carries: that of 1.3, which `rocrate` carries,
# gives these the same meaning, and has many more that a reader of 1.1 would not know.
TERMS_OF_1_1: Final = frozenset(
    {
        *("CreateAction", "CreativeWork", "Dataset", "File", "ImageObject", "PropertyValue", "SoftwareApplication"),
        *("about", "actionStatus", "additionalProperty", "conformsTo", "contentSize", "datePublished", "description"),
        *("encodingFormat", "endTime", "error", "hasPart", "height", "instrument", "isBasedOn", "keywords", "license"),
        *("mentions", "name", "object", "result", "softwareRequirements", "softwareVersion", "startTime", "url"),
        *("value", "version", "width"),
    }
)
CONTEXTS: Final = {
    "https://w3id.org/ro/crate/1.1/context": {term: vocabs.RO_CRATE["@context"][term] for term in TERMS_OF_1_1},
    "https://w3id.org/ro/terms/workflow-run/context": {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
}


@pytest.fixture(autouse=True)
def offline_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the validator asks of the network: the two contexts, and nothing else."""

    def send(_: HTTPAdapter, request: requests.PreparedRequest, **__: Any) -> requests.Response:
        context = CONTEXTS.get(request.url or "")
        if context is None:
            raise requests.ConnectionError(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = 200, request.url or "", request
        response.headers["Content-Type"] = "application/ld+json"
        response._content = json.dumps({"@context": context}).encode()
        return response

    monkeypatch.setattr(HTTPAdapter, "send", send)


def complaints(path: Path, profile: str) -> list[str]:
    """What the validator finds against the REQUIRED checks of a profile and of those that it stands on."""
    with warnings.catch_warnings(action="ignore"):  # its own, of libraries that it uses
        settings = services.ValidationSettings(rocrate_uri=str(path), profile_identifier=profile, no_cache=True)
        result = services.validate(settings)
    assert len(result.executed_checks) > 40
    return [issue.message for issue in result.get_issues()]


def study_of(store: Path, *records: Record, **given: Any) -> Study:
    """A study of these records."""
    whole: dict[str, Any] = {
        "title": "Cats",
        "notebook": None,
        "made_at": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "catalogue": load(),
        "embed": (),
    }
    return Study(records=records, store=store, **{**whole, **given})


def ended(call_id: str, status: str, **given: Any) -> Ended:
    """The end of a call."""
    return Ended(id=call_id, at="2026-11-21T04:15:09Z", status=status, latency_s=8.6, attempts=1, **given)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the pictures are."""
    return tmp_path / "work" / "imagegen"


@pytest.fixture
def study(store: Path) -> Study:
    """One of each: pictures, a rerun with a reference picture, a refusal, a forgotten call, one without an end."""
    red = picture("red")
    image = sniff(red)
    assert image is not None
    reference = Input(
        role="image",
        path=keep_input(store, image, "image-cat"),
        sha256=image.sha256,
        bytes=len(red),
        format="png",
        name="/home/alice/cat.png",
    )
    first = record(
        kept(store, picture("teal"), 0, revised_prompt="a <b>cat</b>"),
        kept(store, red, 1),
        marks=(
            Noted(id="call-1", at="2026-11-21T05:00:00Z", note="the best one"),
            Rated(id="call-1", at="2026-11-21T05:00:00Z", index=1, rating=5),
        ),
        end=ended("call-1", "ok", cost_usd=0.04, request_id="req-1", cost_source="usage"),
    )
    again = record(
        kept(store, picture("blue"), 0, "call-2"),
        call={"id": "call-2", "parent_id": "call-1", "inputs": (reference,)},
        end=ended("call-2", "ok"),
    )
    refused = record(call={"id": "call-3"}, end=ended("call-3", "refused", error=f"Not {store}/images/x, </script>."))
    forgotten = record(
        call={"id": "call-4", "prompt": "", "params": msgspec.Raw(b"{}"), "request_hash": ""},
        end=ended("call-4", "ok"),
        is_forgotten=True,
    )
    lost = msgspec.structs.replace(
        record(call={"id": "call-5", "base_url": "https://me:pw@host.example/v1?key=1"}), end=None
    )
    notebook = store.parent / "my cats.ipynb"
    notebook.write_text("{}", "utf-8")
    return study_of(store, first, again, refused, forgotten, lost, notebook=notebook)


def graph(path: Path) -> dict[str, dict[str, Any]]:
    """The entities of a crate, by their ids."""
    if path.is_file():
        with zipfile.ZipFile(path) as archive:
            data = archive.read(METADATA)
    else:
        data = (path / METADATA).read_bytes()
    return {entity["@id"]: entity for entity in json.loads(data)["@graph"]}


def listed(value: Any) -> list[Any]:
    """One value or several, as a list."""
    return value if isinstance(value, list) else [value] if value is not None else []


def values(entities: dict[str, dict[str, Any]], owner: str, name: str) -> dict[str, Any]:
    """The PropertyValues that an entity names under one property."""
    named = (entities[ref["@id"]] for ref in listed(entities[owner].get(name)))
    return {entity["name"]: entity["value"] for entity in named if entity["@type"] == "PropertyValue"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ["cats.zip", "cats-crate"])
def test_a_crate_passes_every_required_check(tmp_path: Path, study: Study, name: str, profile: str) -> None:
    """Of RO-Crate 1.1 and of Process Run Crate 0.5, by the validator of those who wrote them."""
    made = crate.write(study, tmp_path / name)

    assert complaints(made, profile) == []


def _without_instrument(entities: list[dict[str, Any]]) -> None:
    del next(entity for entity in entities if entity["@type"] == "CreateAction")["instrument"]


def _with_foreign_term(entities: list[dict[str, Any]]) -> None:
    entities[-1]["sharpness"] = 3


def _without_profile(entities: list[dict[str, Any]]) -> None:
    del next(entity for entity in entities if entity["@id"] == "./")["conformsTo"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_without_instrument, "instrument"), (_with_foreign_term, "sharpness"), (_without_profile, "Root Data Entity")],
)
def test_the_checks_are_really_run(tmp_path: Path, study: Study, spoil: Any, said: str) -> None:
    """A crate that lacks an instrument, uses an unknown term or names no profile does not pass."""
    made = crate.write(study, tmp_path / "cats-crate")
    metadata = json.loads((made / METADATA).read_bytes())
    spoil(metadata["@graph"])
    (made / METADATA).write_text(json.dumps(metadata), "utf-8")

    assert any(said in message for message in complaints(made, "process-run-crate-0.5"))


def test_a_crate_of_real_calls_is_valid_and_complete(tmp_path: Path) -> None:
    """Calls to the embedded endpoint, one of them refused, as a session leaves them."""
    ig.generate("a sea otter at dusk", size="256x256", n=2, seed=7, tags=["study"], provider="sketch")
    with pytest.raises(ig.ImageGenError):
        ig.generate("an otter [refuse]", provider="sketch")
    records = read(tmp_path / "imagegen")

    made = crate.write(study_of(tmp_path / "imagegen", *records), tmp_path / "otters.zip")

    entities = graph(made)
    actions = [entity for entity in entities.values() if entity["@type"] == "CreateAction"]
    assert complaints(made, "process-run-crate-0.5") == []
    assert [action["actionStatus"].rpartition("/")[2] for action in actions].count("FailedActionStatus") == 1
    assert {values(entities, action["@id"], "object").get("seed") for action in actions} >= {7}


def test_a_study_without_calls_is_a_crate_too(tmp_path: Path, store: Path) -> None:
    """Nothing was made: the crate says so."""
    made = crate.write(study_of(store), tmp_path / "none.zip")

    assert complaints(made, "process-run-crate-0.5") == []
    assert graph(made)["./"]["description"].startswith("0 calls")


def test_every_file_has_its_own_digest_and_size(tmp_path: Path, study: Study) -> None:
    """Each file that the crate names is in it, with these bytes; and there is no other."""
    known = tuple(each for each in study.records if not each.is_forgotten)
    made = crate.write(replace(study, records=known), tmp_path / "cats-crate")

    files = {entity["@id"]: entity for entity in graph(made).values() if "File" in entity["@type"]}
    for identifier, entity in files.items():
        data = (made / unquote(identifier)).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), str(len(data))) == (entity["sha256"], entity["contentSize"])
    there = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert there == {unquote(identifier) for identifier in files} | {METADATA, "ro-crate-preview.html", MANIFEST}
    assert "notebook/my cats.ipynb" in there


def test_a_notebook_that_shows_what_is_not_meant_is_left_out(tmp_path: Path, study: Study) -> None:
    """Its outputs have the words of a forgotten call, and the pictures that were not picked."""
    known = tuple(each for each in study.records if not each.is_forgotten)
    some = replace(study, records=known, picked=frozenset({("call-1", 0)}))

    for made in (crate.write(study, tmp_path / "one-crate"), crate.write(some, tmp_path / "two-crate")):
        assert not (made / "notebook").exists()
        assert not any("notebook/" in identifier for identifier in graph(made))


def test_of_a_call_that_is_shown_in_part_everything_is_counted(tmp_path: Path, study: Study) -> None:
    """The journal names what came, the crate holds what was picked, and both say so."""
    some = replace(study, picked=frozenset({("call-1", 1), ("call-2", 0)}))
    made = crate.write(some, tmp_path / "cats-crate")
    entities, (first, *_) = graph(made), read(made)

    assert complaints(made, "process-run-crate-0.5") == []
    assert entities["#call-call-1"]["description"] == "2 of 2 pictures came. Status: ok."
    assert [ref["@id"] for ref in listed(entities["#call-call-1"]["result"])] == [study.records[0].images[1].path]
    assert "gave 3 pictures. 2 of these pictures are shown here." in entities["./"]["description"]
    assert [(made / kept.path).is_file() for kept in first.images] == [False, True]
    assert [kept.sha256 for kept in first.images] == [kept.sha256 for kept in study.records[0].images]


def test_who_asked_is_in_the_journal_alone(tmp_path: Path, store: Path) -> None:
    """There the request hash needs it; the metadata and the sheet do without."""
    params = msgspec.Raw(b'{"size":"64x48","user":"alice","safety_identifier":"alice"}')
    made = crate.write(study_of(store, record(call={"params": params})), tmp_path / "cats-crate")

    assert [path.name for path in made.rglob("*.*") if b"alice" in path.read_bytes()] == ["study.jsonl"]
    assert read(made)[0].params["user"] == "alice"


def test_a_call_is_an_action_between_what_it_used_and_gave(tmp_path: Path, study: Study) -> None:
    """Prompt and parameters are its object, the pictures its result, model and package its instruments."""
    entities = graph(crate.write(study, tmp_path / "cats.zip"))
    action = entities["#call-call-1"]

    assert values(entities, "#call-call-1", "object") == {"prompt": "a cat", "model": "m", "size": "64x48"}
    assert [entities[ref["@id"]]["width"] for ref in action["result"]] == [64, 64]
    assert [ref["@id"] for ref in action["instrument"]] == [
        "https://api.openai.com/v1/models/m",
        f"pkg:pypi/jupyter-imagegen@{ig.__version__}",
    ]
    assert (action["startTime"], action["endTime"]) == (
        "2026-11-21T04:15:00.123+00:00",
        "2026-11-21T04:15:09.000+00:00",
    )
    assert values(entities, "#call-call-1", "additionalProperty").items() >= {
        ("cost_usd", 0.04),
        ("request_id", "req-1"),
        ("note", "the best one"),
    }
    assert values(entities, action["result"][1]["@id"], "additionalProperty")["rating"] == 5
    assert values(entities, action["result"][0]["@id"], "additionalProperty")["revised_prompt"] == "a <b>cat</b>"


def test_the_package_says_what_it_ran_on(tmp_path: Path, study: Study) -> None:
    """Python and the main libraries, of the version that made the crate; of an earlier version nothing is known."""
    earlier = msgspec.structs.replace(study.records[0], version="0.0.9")
    entities = graph(crate.write(replace(study, records=(earlier, *study.records[1:])), tmp_path / "cats.zip"))

    required = entities[f"pkg:pypi/jupyter-imagegen@{ig.__version__}"]["softwareRequirements"]
    assert {entities[ref["@id"]]["name"] for ref in required} >= {"python", "httpx2", "pillow"}
    assert "softwareRequirements" not in entities["pkg:pypi/jupyter-imagegen@0.0.9"]


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        ("call-1", "CompletedActionStatus", None),
        ("call-3", "FailedActionStatus", "Not imagegen/images/x, </script>."),
        ("call-5", "FailedActionStatus", "No end of this call was written. It may have been charged."),
    ],
)
def test_an_action_says_how_it_ended(tmp_path: Path, study: Study, call: str, status: str, error: str | None) -> None:
    """What was refused, failed or has no end is failed, with the reason."""
    action = graph(crate.write(study, tmp_path / "cats.zip"))[f"#call-{call}"]

    assert action["actionStatus"] == f"http://schema.org/{status}"
    assert action.get("error") == error


def test_an_error_behind_pictures_is_in_the_description(tmp_path: Path, store: Path) -> None:
    """The profile gives an error to failed actions only, and this one is completed."""
    torn = record(kept(store, picture()), end=ended("call-1", "ok", error="The second picture did not come."))

    action = graph(crate.write(study_of(store, torn), tmp_path / "cats.zip"))["#call-call-1"]

    assert "error" not in action
    assert action["description"].endswith("Then: The second picture did not come.")


def test_a_call_that_is_under_way_is_active(tmp_path: Path, store: Path) -> None:
    """It has no end yet, and no error."""
    running = msgspec.structs.replace(record(), end=None, is_running=True)

    action = graph(crate.write(study_of(store, running), tmp_path / "cats.zip"))["#call-call-1"]

    assert action["actionStatus"] == "http://schema.org/ActiveActionStatus"
    assert not {"endTime", "error"} & set(action)


def test_calls_are_linked_where_one_used_what_another_gave(tmp_path: Path, study: Study) -> None:
    """A rerun is based on its parent, a reference picture on the picture that it is."""
    entities = graph(crate.write(study, tmp_path / "cats.zip"))
    again = entities["#call-call-2"]

    assert again["isBasedOn"] == {"@id": "#call-call-1"}
    (reference,) = (entities[ref["@id"]] for ref in again["object"] if ref["@id"].startswith("inputs/"))
    assert reference["isBasedOn"] == entities["#call-call-1"]["result"][1]
    assert reference["name"] == "cat.png"


def test_a_parent_outside_the_study_is_only_named(tmp_path: Path, study: Study) -> None:
    """A link would lead nowhere."""
    entities = graph(crate.write(replace(study, records=study.records[1:2]), tmp_path / "cats.zip"))

    assert "isBasedOn" not in entities["#call-call-2"]
    assert values(entities, "#call-call-2", "additionalProperty")["parent_id"] == "call-1"


def test_a_forgotten_call_has_neither_words_nor_pictures(tmp_path: Path, store: Path) -> None:
    """It appears as what it is, even where the record still held something."""
    gone = record(kept(store, picture()), call={"prompt": "a secret"}, is_forgotten=True)

    made = crate.write(study_of(store, gone), tmp_path / "cats-crate")

    action = graph(made)["#call-call-1"]
    assert "removed" in action["description"]
    assert not {"object", "result"} & set(action)
    assert not (made / "images").exists()
    assert "secret" not in (made / METADATA).read_text("utf-8")


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"another")])
def test_a_picture_that_is_gone_or_altered_is_said(tmp_path: Path, study: Study, spoil: Any) -> None:
    """The crate is made all the same, is valid, and does not pass off other bytes as the picture."""
    spoil(study.store / study.records[0].images[0].path)

    made = crate.write(study, tmp_path / "cats-crate")

    entities = graph(made)
    lost = entities[entities["#call-call-1"]["result"][0]["@id"]]
    assert lost["@type"] == "CreativeWork"
    assert lost["description"].startswith("The file of this picture")
    assert lost["sha256"] == study.records[0].images[0].sha256
    assert not (made / study.records[0].images[0].path).exists()
    assert complaints(made, "process-run-crate-0.5") == []


@pytest.mark.parametrize(
    "path", ["../key.txt", "/etc/hostname", "C:\\key.txt", METADATA, "images/../../key.txt", "images/nul.png"]
)
def test_a_path_of_another_hand_leads_nowhere(tmp_path: Path, store: Path, path: str) -> None:
    """A journal that came from elsewhere can name any file: none outside the store is read, none is overwritten."""
    (tmp_path / "key.txt").write_text("sk-secret", "utf-8")
    (store.parent).mkdir()
    (store.parent / "key.txt").write_text("sk-secret", "utf-8")
    digest = hashlib.sha256(b"sk-secret").hexdigest()
    odd = record(Kept(id="call-1", index=0, path=path, sha256=digest, bytes=9, format="png"))

    made = crate.write(study_of(store, odd), tmp_path / "cats-crate")

    files = {found.relative_to(made).as_posix(): found.read_bytes() for found in made.rglob("*") if found.is_file()}
    assert set(files) == {METADATA, "journal/study.jsonl", "ro-crate-preview.html", MANIFEST}
    assert not any(b"sk-secret" in data for data in files.values())


def test_pictures_with_odd_names_get_names_of_their_own(tmp_path: Path, store: Path) -> None:
    """Each keeps its bytes, whatever another hand called it."""
    store.mkdir(parents=True)
    odd = []
    for place, name in enumerate((METADATA, "CON.png", "images/x.png")):
        data = picture(size=(place + 1, 1))
        (store / name).parent.mkdir(exist_ok=True)
        (store / name).write_bytes(data)
        odd.append(replace_path(kept(store, data, place), name))

    made = crate.write(study_of(store, record(*odd)), tmp_path / "cats-crate")

    assert complaints(made, "ro-crate-1.1") == []
    assert sorted(path.name for path in (made / "images").iterdir()) == [f"picture-{place}.png" for place in range(3)]


def replace_path(picture: Kept, path: str) -> Kept:
    """The same picture under another path."""
    return msgspec.structs.replace(picture, path=path)


def test_a_crate_can_be_read_as_a_store(tmp_path: Path, study: Study) -> None:
    """Its journal gives the same records, and their pictures are intact."""
    made = crate.write(study, tmp_path / "cats-crate")

    found = read(made)

    assert [each.id for each in found] == [each.id for each in study.records]
    assert [each.is_forgotten for each in found] == [each.is_forgotten for each in study.records]
    assert [each.status for each in found] == [each.status for each in study.records]
    assert (found[0].note, found[0].rating_of(1)) == ("the best one", 5)
    for each in found:
        for image in each.images:
            assert hashlib.sha256((made / image.path).read_bytes()).hexdigest() == image.sha256


def test_the_same_study_gives_the_same_bytes(tmp_path: Path, study: Study) -> None:
    """A zip can be compared by its digest: no time and no order of this run is in it."""
    one, two = (crate.write(study, tmp_path / name) for name in ("one.zip", "two.zip"))

    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


@pytest.mark.parametrize("name", ["cats.zip", "cats-crate"])
def test_a_crate_is_whole_or_absent(tmp_path: Path, study: Study, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle leaves what was there before, and nothing beside it."""
    before = crate.write(study_of(study.store), tmp_path / "out" / name)
    kept_before = graph(before)

    def full(_: Study) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(crate, "html", full)
    with pytest.raises(StoreError, match="No space left"):
        crate.write(study, before)

    assert [path.name for path in before.parent.iterdir()] == [name]
    assert graph(before) == kept_before


def test_a_crate_replaces_a_crate(tmp_path: Path, study: Study) -> None:
    """The second export of a notebook goes where the first one was; an empty folder is nobody's."""
    (tmp_path / "cats-crate").mkdir()
    crate.write(study, tmp_path / "cats-crate")

    made = crate.write(replace(study, records=study.records[:1]), tmp_path / "cats-crate")

    assert [identifier for identifier in graph(made) if re.fullmatch(r"#call-call-\d", identifier)] == ["#call-call-1"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".cats")] == []


@pytest.mark.parametrize("foreign", [False, True])
def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, study: Study, foreign: bool) -> None:  # noqa: FBT001
    """Neither a folder that holds other things, nor a crate to which something was added."""
    target = tmp_path / "cats-crate"
    if foreign:
        target.mkdir()
    else:
        crate.write(study, target)
    (target / "thesis.txt").write_text("years of work", "utf-8")

    with pytest.raises(StoreError, match="is there already") as caught:
        crate.write(study, target)

    assert "another path" in caught.value.hint
    assert (target / "thesis.txt").read_text("utf-8") == "years of work"


def test_a_crate_to_which_its_own_library_added_a_file_is_left_alone(tmp_path: Path, study: Study) -> None:
    """The file is named in the metadata then, and is a person's all the same."""
    target = crate.write(study, tmp_path / "cats-crate")
    (tmp_path / "survey.csv").write_text("years of work", "utf-8")
    with warnings.catch_warnings(action="ignore"):  # the library's own, of a crate that it reads
        whole = ROCrate(target)
        whole.add_file(tmp_path / "survey.csv")
        whole.write(target)

    with pytest.raises(StoreError, match=r"ro-crate-metadata\.json in it is not as an export left it"):
        crate.write(study, target)

    assert (target / "survey.csv").read_text("utf-8") == "years of work"


def test_two_lines_that_say_other_bytes_of_one_file_stay_two(tmp_path: Path, store: Path) -> None:
    """The wrong one is not made right by the copy of the other: the crate says of it what the store said."""
    right = kept(store, picture())
    wrong = msgspec.structs.replace(right, id="call-2", sha256=hashlib.sha256(b"what came").hexdigest())
    records = (record(right), record(wrong, call={"id": "call-2"}, end=ended("call-2", "ok")))

    for order in (records, records[::-1]):
        made = crate.write(study_of(store, *order), tmp_path / "cats-crate")

        assert {each.id: each.images[0].sha256 for each in read(made)} == {
            "call-1": right.sha256,
            "call-2": wrong.sha256,
        }
        (lost,) = (entity for entity in graph(made).values() if entity.get("sha256") == wrong.sha256)
        assert "was altered" in lost["description"]
        assert (made / right.path).read_bytes() == picture()


def test_the_description_counts_the_pictures_that_came(tmp_path: Path, study: Study) -> None:
    """Those that were sent are other ones, each counted once; one that is gone is not in the crate."""
    again = study.records[1]
    third = msgspec.structs.replace(again, call=msgspec.structs.replace(again.call, id="call-6"), images=())
    whole = replace(study, records=(*study.records, third))
    said = graph(crate.write(whole, tmp_path / "one.zip"))["./"]["description"]
    (study.store / again.images[0].path).unlink()
    less = graph(crate.write(whole, tmp_path / "two.zip"))["./"]["description"]

    assert said.startswith("6 calls to image models, with 3 pictures and 1 file that was sent: what was asked")
    assert "These calls gave" not in said
    assert (
        "with 2 pictures and 1 file that was sent: what was asked, what came, and what did not. These calls gave 3"
        in less
    )


@pytest.mark.parametrize(
    "source",
    [
        "%env OPENAI_API_KEY={key}",
        "key =\n{key}",
        "# of no shape: {plain}",
        "Authorization: Basic {coded}",
    ],
)
def test_a_notebook_with_a_key_is_left_out(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """One that is set, in any spelling, or what looks like one; the description says so."""
    plain = "correct-horse-battery"
    monkeypatch.setenv("GATEWAY_API_KEY", plain)
    words = {"key": "sk-proj-abcdefghij0123456789ABCDEF", "plain": plain, "coded": b64encode(plain.encode()).decode()}
    assert study.notebook is not None
    study.notebook.write_text(json.dumps({"cells": [{"source": [source.format(**words)]}]}), "utf-8")
    known = replace(study, records=study.records[:2])

    made = crate.write(known, tmp_path / "cats-crate")

    assert not (made / "notebook").exists()
    assert "The notebook file was left out: it holds a key" in graph(made)["./"]["description"]
    assert not [path for path in made.rglob("*.*") for word in words.values() if word.encode() in path.read_bytes()]
    assert complaints(made, "process-run-crate-0.5") == []


@pytest.mark.parametrize("text", ["[" * 100_000, "no JSON", '{"cells": [{"source": "sk-container-id-1", "n": 1}]}'])
def test_a_notebook_without_a_key_is_handed_over(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Whatever it holds, and where a key is a word that anybody writes."""
    monkeypatch.setenv("LOCAL_API_KEY", "source")
    assert study.notebook is not None
    study.notebook.write_text(text, "utf-8")

    made = crate.write(replace(study, records=study.records[:2]), tmp_path / "cats-crate")

    assert (made / "notebook" / "my cats.ipynb").read_text("utf-8") == text


def test_a_time_beyond_the_calendar_is_left_out(tmp_path: Path, store: Path) -> None:
    """Another hand wrote it: in UTC it would be in the year 10000."""
    odd = record(call={"at": "9999-12-31T23:59:59.999999-23:59"})

    assert "startTime" not in graph(crate.write(study_of(store, odd), tmp_path / "cats.zip"))["#call-call-1"]


def test_a_crate_that_another_program_made_is_left_alone(tmp_path: Path, study: Study) -> None:
    """Also where it names every one of its files."""
    target = tmp_path / "cats-crate"
    target.mkdir()
    (target / METADATA).write_text(json.dumps({"@graph": [{"@id": METADATA}, {"@id": "./"}]}), "utf-8")

    with pytest.raises(StoreError, match="is there already"):
        crate.write(study, target)

    assert [path.name for path in target.iterdir()] == [METADATA]


@pytest.mark.parametrize("name", ["cats.zip", "cats-crate"])
def test_a_crate_says_nothing_of_this_machine(tmp_path: Path, study: Study, name: str) -> None:
    """No folder, no host, no person's name, no password in an address; the address itself is provenance and stays."""
    made = crate.write(study, tmp_path / name)

    if made.is_file():
        with zipfile.ZipFile(made) as archive:
            files = {entry: archive.read(entry) for entry in archive.namelist()}
    else:
        files = {path.name: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    whole = b"\n".join((*files.values(), *(entry.encode() for entry in files)))
    for trace in (
        str(tmp_path),
        platform.node() or str(tmp_path),
        "alice",
        "me:pw",
        "key=1",
        f"/home/{getpass.getuser()}",
    ):
        assert trace.encode() not in whole
    assert b"https://host.example/v1" in whole


def test_words_in_a_copy_change_its_digest_and_the_first_one_is_kept(tmp_path: Path, study: Study) -> None:
    """The crate's digest is that of its file, the original's is beside it, and the store is not touched."""
    original = study.records[0].images[0]

    made = crate.write(replace(study, embed=("iptc", "parameters")), tmp_path / "cats-crate")

    entities = graph(made)
    copy = entities[original.path]
    data = (made / original.path).read_bytes()
    assert b"trainedAlgorithmicMedia" in data
    assert copy["sha256"] == hashlib.sha256(data).hexdigest() != original.sha256
    assert values(entities, original.path, "additionalProperty")["sha256 as received"] == original.sha256
    assert hashlib.sha256((study.store / original.path).read_bytes()).hexdigest() == original.sha256
    assert read(made)[0].images[0].sha256 == copy["sha256"]
    sent = study.records[1].call.inputs[0]
    assert hashlib.sha256((made / sent.path).read_bytes()).hexdigest() == sent.sha256


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        ("CC-BY-4.0", {"@id": "https://spdx.org/licenses/CC-BY-4.0"}),
        ("https://example.org/terms", {"@id": "https://example.org/terms"}),
        ("Ask the museum.", "Ask the museum."),
        (None, "No license was stated when this crate was made."),
    ],
)
def test_a_license_is_what_the_person_says(tmp_path: Path, study: Study, stated: str | None, written: Any) -> None:
    """An SPDX identifier, an address or a sentence; and where nothing was said, that."""
    made = crate.write(replace(study, license=stated), tmp_path / "cats.zip")

    assert graph(made)["./"]["license"] == written
    assert complaints(made, "ro-crate-1.1") == []


def test_without_the_library_the_way_to_it_is_said(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is optional: the error names it, and nothing is written."""
    monkeypatch.setitem(sys.modules, "rocrate", None)

    with pytest.raises(SettingsError, match="rocrate") as caught:
        crate.write(study, tmp_path / "cats.zip")

    assert caught.value.hint == 'In the folder of jupyter-imagegen: pip install ".[exports]"'
    assert not (tmp_path / "cats.zip").exists()


WORDS: Final = st.text(max_size=40) | st.sampled_from(
    ["#", "./", "ro-crate-metadata.json", "http://[", "a b", '"><script>', "{{x}}", "../..", "@id", "\x00"]
)


@held
@given(words=st.lists(WORDS, min_size=6, max_size=6))
def test_no_words_become_an_id_or_a_term(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    """Whatever was written, every id is a URI, every reference leads to an entity, and every term is known."""
    prompt, model, provider, address, error, tag = words
    call = {
        "id": f"call-{tag}",
        "prompt": prompt,
        "model": model,
        "provider": provider,
        "base_url": address,
        "tags": (tag,),
        "params": msgspec.Raw(json.dumps({error: tag, "@id": [prompt]}).encode()),
    }
    folder = tmp_path_factory.mktemp("crate")
    odd = record(call=call, end=ended(f"call-{tag}", "failed", error=error))

    made = crate.write(study_of(folder / "imagegen", odd, title=tag, license=prompt), folder / "x.zip")

    with zipfile.ZipFile(made) as archive:
        entities = json.loads(archive.read(METADATA))["@graph"]
    ids = [entity["@id"] for entity in entities]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z0-9%/:@!$&'()*+,;=~\[\]#._-]+", identifier) for identifier in ids)
    assert {ref for entity in entities for ref in references(entity)} <= {*ids, "https://w3id.org/ro/crate/1.1"}
    assert {term for entity in entities for term in terms(entity)} <= TERMS_OF_1_1 | {"sha256"}


def references(entity: dict[str, Any]) -> Iterator[str]:
    """The ids that an entity names."""
    for value in entity.values():
        yield from (ref["@id"] for ref in listed(value) if isinstance(ref, dict))


def terms(entity: dict[str, Any]) -> Iterator[str]:
    """The properties and types of an entity."""
    yield from (name for name in entity if not name.startswith("@"))
    yield from listed(entity["@type"])
