"""Files that are none, broken or strange give one clear SourceError; odd but readable ones are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dmi_ingest.sources import SOURCES
from dmi_ingest.sources.files import BEYOND, COLUMNS, LINE_LIMIT, document, lines, look_through, table
from dmi_ingest.sources.port import Rejected, SourceError

PREFIX = "test"
HEADER = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"


def written(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("kind", sorted(SOURCES))
@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (b"", {"empty"}),
        (b"\xef\xbb\xbf \n", {"empty"}),
        (b"\x89PNG\r\n\x1a\n\x00\x00", {"binary"}),
        ("a,b\n1,2\n".encode("utf-16"), {"encoding", "binary"}),
        (b"name,\x81\xff\n", {"encoding"}),
        (b"colour,size\nred,3\n", {"other_kind"}),
        (b'{"type": "FeatureCollection", "features": [{"properties": {"a": 1}}]}', {"other_kind"}),
        (b'{"type": "FeatureCollection", "features": [', {"truncated", "other_kind"}),
        (b'{"type": NaN}', {"not_json", "other_kind"}),
        (b'{"a":' * 100_000, {"not_json", "truncated", "huge_line", "other_kind"}),
        (b"<html></html>", {"other_kind"}),
        (b"[]", {"other_kind"}),
    ],
)
def test_a_file_of_no_use_is_refused_with_a_rule_and_its_name(
    tmp_path: Path, kind: str, content: bytes, rules: set[str]
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SourceError) as caught:
        list(SOURCES[kind].read([path], PREFIX))
    assert caught.value.rule in rules
    assert caught.value.file == "file.csv"
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_a_missing_file_and_no_file_at_all_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceError, match="unreadable"):
        list(SOURCES[kind].read([tmp_path / "absent"], PREFIX))
    with pytest.raises(SourceError, match="missing_role"):
        list(SOURCES[kind].read([], PREFIX))


def test_a_huge_line_is_refused_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "a,1,1,2016-10-04 07:59:42\n" + "x" * (LINE_LIMIT + 1))
    with pytest.raises(SourceError) as caught:
        table(path)
    assert (caught.value.rule, caught.value.line) == ("huge_line", 3)


def test_a_table_that_breaks_off_in_its_last_line_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "a,1,1,2016-10-04 07:59:42\na,1")
    with pytest.raises(SourceError, match="truncated"):
        table(path)


def test_a_text_that_breaks_off_within_a_character_is_not_taken_for_windows_1252(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="truncated"):
        look_through(written(tmp_path, "a,é".encode()[:-1]))


def test_quotes_that_never_close_are_refused(tmp_path: Path) -> None:
    source = table(written(tmp_path, HEADER + '"a,1,1,2016-10-04 07:59:42\n'))
    with pytest.raises(SourceError, match="bad_quotes"):
        list(lines(source))


def test_windows_1252_is_read_with_a_note_and_utf_8_without(tmp_path: Path) -> None:
    old = table(written(tmp_path, "name,size\ncafé,1\n".encode("cp1252")))
    assert old.text.note is not None
    assert next(lines(old)).cells["name"] == "café"
    assert table(written(tmp_path, "name,size\ncafé,1\n")).text.note is None


def test_line_numbers_are_those_of_an_editor_also_after_blank_and_quoted_lines(tmp_path: Path) -> None:
    source = table(written(tmp_path, 'a,b\n1,2\n\n"x\ny",2\n3,4\n5\n6,7,8\n'))
    found = [(line.number, line.complete) for line in lines(source)]
    assert found == [(2, True), (4, True), (6, True), (7, False), (8, False)]
    assert list(lines(source))[-1].cells == {"a": "6", "b": "7", "+1": "8"}


def test_columns_of_one_name_are_told_apart_where_they_may_be_and_a_byte_order_mark_is_no_part_of_the_first(
    tmp_path: Path,
) -> None:
    source = table(written(tmp_path, b"\xef\xbb\xbfa;b;b\n1;2;3\n"), lambda _names: {"b"})
    assert source.columns == ("a", "b", "b#2")


def test_of_a_row_with_many_cells_beyond_the_header_a_few_are_kept_and_all_are_counted(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, HEADER + "x" + "," * 100_000 + "\n")
    [line] = lines(table(path))
    assert (len(line.cells), line.width, line.complete) == (4 + BEYOND, 100_001, False)
    [item] = SOURCES["birmingham-parking"].read([path], PREFIX)
    assert isinstance(item, Rejected)
    assert (item.reason, item.value) == ("wrong_columns", "100001")


def test_a_header_of_very_many_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="too_many_columns"):
        table(written(tmp_path, HEADER.strip() + "," * COLUMNS + "\n"))


def test_a_row_that_goes_on_over_very_many_lines_is_refused_by_the_line_on_which_it_is_too_long(
    tmp_path: Path,
) -> None:
    long = f'"{"x" * (LINE_LIMIT - 100)}\n",'
    source = table(written(tmp_path, HEADER + "a,1,1,2016-10-04 07:59:42\n" + long * 5 + "1\n"))
    with pytest.raises(SourceError, match="huge_line") as caught:
        list(lines(source))
    assert caught.value.line == 7


SAIL = "timestamp;Time;A;B;B;hour\n20/08/2025;00:00:00+02:00;4;5;6;0\n"


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (
            "birmingham-parking",
            "SystemCodeNumber,Occupancy,Capacity,Occupancy ,LastUpdated\na,1,9,2,2016-10-04 07:59:42\n",
            "names 'Occupancy' twice, in columns 2 and 4",
        ),
        (
            "snuffelfiets",
            "entity_id,pm10,pm10,pm10\n1,2,3,4\n",
            "names 'pm10' 3 times, in columns 2, 3 and 4",
        ),
        ("sail-crowd", SAIL.replace("hour", "Time"), "names 'Time' twice, in columns 2 and 6"),
        ("sail-crowd", SAIL.replace("A", "B"), "names 'B' 3 times, in columns 3, 4 and 5"),
        (
            "sail-crowd",
            'Objectummer,Lat/Long,Breedte,Breedte\nB,"52.37, 4.9",3,4\n',
            "names 'Breedte' twice, in columns 3 and 4",
        ),
    ],
)
def test_a_header_that_names_a_column_twice_is_refused_with_its_name_and_both_columns(
    tmp_path: Path, kind: str, content: str, said: str
) -> None:
    with pytest.raises(SourceError) as caught:
        list(SOURCES[kind].read([written(tmp_path, content)], PREFIX))
    assert (caught.value.rule, caught.value.line, caught.value.file) == ("doubled_column", 1, "file.csv")
    assert said in str(caught.value)


def test_columns_without_a_name_are_no_doubles(tmp_path: Path) -> None:
    assert table(written(tmp_path, "a,b,,\n1,2,,\n")).columns[:2] == ("a", "b")


def test_a_document_that_is_no_json_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        document(written(tmp_path, '{"a": 1,\n"b": oops}'))
    assert (caught.value.rule, caught.value.line) == ("not_json", 2)


def test_an_integer_of_five_thousand_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not_json"):
        document(written(tmp_path, '{"a": ' + "9" * 5000 + "}"))


def test_a_text_with_half_of_a_surrogate_pair_is_refused_and_a_whole_one_is_not(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="surrogate"):
        document(written(tmp_path, '{"a": ["\\uD83d"]}'))
    assert document(written(tmp_path, '{"a": "\\ud83d\\ude80"}')) == {"a": "🚀"}


def test_an_unknown_crs_is_refused(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    path = written(tmp_path, json.dumps({"type": "FeatureCollection", "crs": crs, "features": []}))
    with pytest.raises(SourceError, match="unknown_crs"):
        list(SOURCES["amsterdam-buurten"].read([path], PREFIX))
