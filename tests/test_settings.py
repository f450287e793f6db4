"""What a person set for the whole session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from traitlets import TraitError

from jupyter_imagegen.errors import SettingsError
from jupyter_imagegen.settings import ImageGen, Settings, Where, given, photograph


def test_with_nothing_set_everything_has_its_default(tmp_path: Path) -> None:
    """Pictures lie in imagegen/ beside the notebook, as previews, and a call may take fifteen minutes."""
    assert photograph({}) == Settings(
        traits=Where(),
        environment=Where(),
        store=tmp_path / "imagegen",
        inline="preview",
        mode="live",
        timeout_s=900.0,
        notebook=None,
        project=tmp_path,
        person=Path("~/.jupyter"),
    )


def test_traits_and_environment_are_kept_apart() -> None:
    """Which of them decides is the endpoint's business; here neither hides the other."""
    traits = ImageGen.instance()
    traits.provider, traits.model = "openai", " gpt-image-2 "
    found = photograph({"IMAGEGEN_PROVIDER": "sketch", "IMAGEGEN_BASE_URL": "https://h/v1\n", "IMAGEGEN_MODEL": "m"})

    assert found.traits == Where(provider="openai", model="gpt-image-2")
    assert found.environment == Where(provider="sketch", base_url="https://h/v1", model="m")


@pytest.mark.parametrize("value", ["", " ", "\n", None])
def test_a_blank_value_sets_nothing(value: str | None) -> None:
    """A shell script that exports nothing has set nothing."""
    assert given(value) is None


def test_the_store_is_named_by_trait_then_environment(tmp_path: Path) -> None:
    """%config goes before the environment, and a relative folder is below where the kernel started."""
    environ = {"IMAGEGEN_STORE": "from/environment"}

    assert photograph(environ).store == tmp_path / "from" / "environment"
    ImageGen.instance().store = "from-trait"
    assert photograph(environ).store == tmp_path / "from-trait"


def test_a_store_may_be_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute path stays as it is, and ~ is the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert photograph({"IMAGEGEN_STORE": "/data/pictures"}).store == Path("/data/pictures")
    assert photograph({"IMAGEGEN_STORE": "~/pictures"}).store == tmp_path / "home" / "pictures"


def test_a_home_that_does_not_exist_is_said() -> None:
    """~nobody-of-that-name is an error of this package."""
    with pytest.raises(SettingsError, match="home directory that does not exist"):
        photograph({"IMAGEGEN_STORE": "~no-such-user-here/x"})


def test_the_store_does_not_move_with_the_working_directory(tmp_path: Path) -> None:
    """A later os.chdir must not split one notebook's history over two folders."""
    before = photograph({}).store
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")

    assert photograph({}).store == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inline", "big"),
        ("inline", ""),
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", float("nan")),
        ("timeout", "soon"),
        ("provider", 7),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: object) -> None:
    """%config says so at once, and the old value stays."""
    before = getattr(ImageGen.instance(), name)

    with pytest.raises(TraitError):
        setattr(ImageGen.instance(), name, value)
    assert getattr(ImageGen.instance(), name) == before


def test_a_key_is_never_a_setting() -> None:
    """No trait has a name that asks for one, and every trait says what it is."""
    traits = ImageGen.class_own_traits(config=True)

    assert not [name for name in traits if "key" in name or "token" in name]
    assert all(trait.help for trait in traits.values())


def test_a_photograph_does_not_change() -> None:
    """What was set after a call began counts for the next one."""
    taken = photograph({})
    ImageGen.instance().inline = "none"

    assert taken.inline == "preview"
    assert photograph({}).inline == "none"
