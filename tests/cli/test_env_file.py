"""Files of NAME=value lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.options import read_env_file


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("", {}),
        ("  # ON_BUSY=skip", {}),
        ("ON_BUSY=skip", {"ON_BUSY": "skip"}),
        ("  ON_BUSY = skip  ", {"ON_BUSY": "skip"}),
        ("export ON_BUSY=skip", {"ON_BUSY": "skip"}),
        ("A=", {"A": ""}),
        ("A=# nothing", {"A": ""}),
        ("A=b # why", {"A": "b"}),
        ("A=b#c", {"A": "b#c"}),
        ("A=b=c", {"A": "b=c"}),
        ("A='b # \\n'", {"A": "b # \\n"}),
        ('A="b # c" # why', {"A": "b # c"}),
        ('A="say \\"x\\"\\n\\\\n"', {"A": 'say "x"\n\\n'}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_lines(tmp_path: Path, line: str, settings: dict[str, str]) -> None:
    """Each kind of line is read as docker and dotenv read it."""
    file = tmp_path / "settings.env"
    file.write_text(f"{line}\n")
    assert read_env_file(file) == settings


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("on busy=hush", "settings.env:2: found 'on busy', expected NAME=value"),
        ("1A=hush", "settings.env:2: found '1A', expected NAME=value"),
        ("nothing", "settings.env:2: found 'nothing', expected NAME=value"),
        ('A="hush', 'settings.env:2: the value starts with " but does not end with it'),
        ("A='hush' x", "settings.env:2: the value starts with ' but does not end with it"),
    ],
)
def test_wrong_line(tmp_path: Path, line: str, message: str) -> None:
    """The message has the line number, but not the value, which may be a secret."""
    file = tmp_path / "settings.env"
    file.write_text(f"GOOD=1\n{line}\n")
    with pytest.raises(WrongCall) as error:
        read_env_file(file)
    assert message in error.value.message
    assert "hush" not in error.value.message.replace(str(file), "")


@given(value=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_any_value_in_double_quotes(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    """Any escaped value between double quotes is read unchanged."""
    file = tmp_path_factory.mktemp("env") / "settings.env"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    file.write_text(f'A="{escaped}"\n', encoding="utf-8")
    assert read_env_file(file) == {"A": value}


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """The message has the path and the reason."""
    with pytest.raises(WrongCall, match=r"cannot read .*nowhere: No such file"):
        read_env_file(tmp_path / "nowhere")
