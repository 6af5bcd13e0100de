"""Names of scene videos, variant images and folders: exact examples, and names that parse back to what made them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.terms import naming
from x121lib.terms.naming import NamingRules, SceneName

RULES = NamingRules(
    prefixes=(("clothed", ""), ("evening", "evening_")), transition_suffixes=(("coat_off", "_coat_off"),)
)
EXAMPLES = {
    "wave.mp4": SceneName("clothed", "wave"),
    "evening_wave.mp4": SceneName("evening", "wave"),
    "wave_coat_off.mp4": SceneName("clothed", "wave", "coat_off"),
    "evening_walk_2.mp4": SceneName("evening", "walk", None, 2),
    "dance.mp4": SceneName("clothed", "dance"),
    "evening_idle.mp4": SceneName("evening", "idle"),
    "slow_walk_coat_off_1.mp4": SceneName("clothed", "slow_walk", "coat_off", 1),
    "evening_slow_walk_coat_off_10.mp4": SceneName("evening", "slow_walk", "coat_off", 10),
}

words = st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True)
snake = st.lists(words, min_size=1, max_size=4).map("_".join)
suffixes = snake.map(lambda name: f"_{name}")
prefixes = snake.map(lambda name: f"{name}_")


@st.composite
def studios(draw: st.DrawFn) -> tuple[NamingRules, list[str]]:
    """Build a studio one row at a time, in any order, keeping what the checks accept."""
    rules = NamingRules(prefixes=(("clothed", ""),), transition_suffixes=())
    contents: list[str] = []
    for _ in range(draw(st.integers(1, 10))):
        what = draw(st.sampled_from(["kind", "mode", "scene type"]))
        name = draw(snake)
        try:
            if what == "kind":
                prefix = draw(prefixes)
                naming.check_variant_kind(name, prefix, rules, contents)
                assume(name not in dict(rules.prefixes))
                rules = NamingRules((*rules.prefixes, (name, prefix)), rules.transition_suffixes)
            elif what == "mode":
                suffix = draw(suffixes)
                naming.check_transition_mode(name, suffix, rules, contents)
                assume(name not in dict(rules.transition_suffixes))
                rules = NamingRules(rules.prefixes, (*rules.transition_suffixes, (name, suffix)))
            else:
                naming.check_scene_type_name(name, rules)
                contents.append(name)
        except (ConflictError, InvalidInputError):
            continue
    assume(contents)
    return rules, contents


@pytest.mark.capability("PRD-01/naming-convention")
@pytest.mark.parametrize(("file_name", "name"), EXAMPLES.items(), ids=EXAMPLES)
def test_examples_come_out_exactly_and_parse_back(file_name: str, name: SceneName) -> None:
    assert naming.scene_file_name(name, RULES) == file_name
    assert naming.parse_scene_file_name(file_name, RULES) == name


@settings(deadline=None)  # a busy machine is no fault of a name
@given(studios(), st.data())
def test_names_parse_back_to_what_made_them(studio: tuple[NamingRules, list[str]], data: st.DataObject) -> None:
    rules, contents = studio
    name = SceneName(
        data.draw(st.sampled_from([kind for kind, _ in rules.prefixes])),
        data.draw(st.sampled_from(contents)),
        data.draw(st.sampled_from([None, *(mode for mode, _ in rules.transition_suffixes)])),
        data.draw(st.none() | st.integers(1, 10_000)),
    )
    assert naming.parse_scene_file_name(naming.scene_file_name(name, rules), rules) == name


@settings(deadline=None)  # a busy machine is no fault of a name
@given(studios())
def test_no_two_scenes_share_a_name(studio: tuple[NamingRules, list[str]]) -> None:
    rules, contents = studio
    modes = [None, *(mode for mode, _ in rules.transition_suffixes)]
    made = [
        naming.scene_file_name(SceneName(kind, content, mode, index), rules)
        for kind, _ in rules.prefixes
        for content in dict.fromkeys(contents)
        for mode in modes
        for index in (None, 1, 2)
    ]
    assert len(made) == len(set(made))


@given(prefixes, snake)
def test_a_prefix_and_a_scene_type_that_clash_are_refused_whichever_comes_second(prefix: str, rest: str) -> None:
    content = prefix + rest
    assume(not content.rsplit("_", 1)[-1].isdigit())
    bare = NamingRules(prefixes=(("clothed", ""),))
    with pytest.raises(ConflictError, match="begins the name"):
        naming.check_variant_kind("later", prefix, bare, [content])
    with pytest.raises(ConflictError, match="begins with"):
        naming.check_scene_type_name(content, NamingRules(prefixes=(("clothed", ""), ("earlier", prefix))))


@pytest.mark.parametrize("name", ["walk_2", "walk_coat_off", "evening_walk", "evening_2", "coat_off", "2"])
def test_ambiguous_scene_types_are_refused(name: str) -> None:
    with pytest.raises(ConflictError):
        naming.check_scene_type_name(name, RULES)


@pytest.mark.parametrize("name", ["walk", "walk2", "evening", "coat_on", "even_walk", "4k_walk"])
def test_similar_scene_types_are_fine(name: str) -> None:
    naming.check_scene_type_name(name, RULES)
    for kind in ("clothed", "evening"):
        made = SceneName(kind, name, None, 3)
        assert naming.parse_scene_file_name(naming.scene_file_name(made, RULES), RULES) == made


@pytest.mark.parametrize(
    ("kind", "prefix"), [("night", "evening_"), ("night", "evening_late_"), ("night", "even"), ("Night", "night_")]
)
def test_ambiguous_or_malformed_variant_kinds_are_refused(kind: str, prefix: str) -> None:
    with pytest.raises((ConflictError, InvalidInputError)):
        naming.check_variant_kind(kind, prefix, RULES, [])


@pytest.mark.parametrize(
    ("suffix", "contents"),
    [("_coat_off", []), ("_part_2", []), ("coat_on", []), ("_on", ["walk_on"]), ("_walk", ["walk"]), ("_7", [])],
)
def test_ambiguous_or_malformed_transitions_are_refused(suffix: str, contents: list[str]) -> None:
    with pytest.raises((ConflictError, InvalidInputError)):
        naming.check_transition_mode("later", suffix, RULES, contents)


def test_parts_that_meet_in_one_name_are_refused_whichever_comes_last() -> None:
    met = NamingRules((("clothed", ""), ("evening", "a_b_")), (("off", "_b_c"),))
    with pytest.raises(ConflictError, match=r"'a_b_c\.mp4'"):
        naming.check_scene_type_name("c", met)
    with pytest.raises(ConflictError, match=r"'a_b_c\.mp4'"):
        naming.check_variant_kind("evening", "a_b_", NamingRules(met.prefixes[:1], met.transition_suffixes), ["c"])
    with pytest.raises(ConflictError, match=r"'a_b_c\.mp4'"):
        naming.check_transition_mode("off", "_b_c", NamingRules(met.prefixes, ()), ["c"])


def test_only_one_kind_has_no_prefix() -> None:
    with pytest.raises(ConflictError, match="already uses"):
        naming.check_variant_kind("bare", "", RULES, [])


@pytest.mark.parametrize("name", ["", "Wave", "slow-walk", "_wave", "wave_", "slow__walk", "wäve", "wave\n", "٣"])
def test_names_that_are_not_snake_case_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        naming.check_scene_type_name(name, RULES)
    with pytest.raises(InvalidInputError):
        naming.parse_scene_file_name(f"{name}.mp4", RULES)


@pytest.mark.parametrize("index", [0, -1])
def test_an_index_starts_at_one(index: int) -> None:
    with pytest.raises(InvalidInputError, match="starts at 1"):
        naming.scene_file_name(SceneName("clothed", "wave", None, index), RULES)


@pytest.mark.parametrize("name", [SceneName("night", "wave"), SceneName("clothed", "wave", "hat_off")])
def test_unknown_kinds_and_modes_are_refused(name: SceneName) -> None:
    with pytest.raises(InvalidInputError):
        naming.scene_file_name(name, RULES)


@pytest.mark.parametrize(
    "file_name", ["wave", "wave.mov", "wave.mp4.mp4", ".mp4", "evening_.mp4", "wave_0.mp4", "wave_01.mp4"]
)
def test_files_that_no_scene_makes_are_refused(file_name: str) -> None:
    with pytest.raises(InvalidInputError):
        naming.parse_scene_file_name(file_name, RULES)


@given(st.text(max_size=60))
def test_a_folder_is_safe_on_every_file_system(name: str) -> None:
    try:
        folder = naming.character_folder(name)
    except InvalidInputError:
        return
    assert not set(folder) & set('/\\:*?"<>|\x00')
    assert folder not in {".", ".."}
    assert folder == folder.strip()
    assert not folder.endswith(".")
    assert unicodedata.is_normalized("NFC", folder)
    assert naming.character_folder(folder) == folder


@pytest.mark.parametrize("name", ["", "  ", "..", ".", "CON", "nul.txt", "Lpt1", "x" * 201])
def test_names_that_no_folder_can_have_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        naming.character_folder(name)


@pytest.mark.parametrize(
    ("name", "folder"), [("Mira", "Mira"), ("A/B: C?", "A_B_ C_"), ("Zoe\u0308", "Zoë"), ("Dr. No.", "Dr. No")]
)
def test_folders_of_characters(name: str, folder: str) -> None:
    assert naming.character_folder(name) == folder


def test_folders_that_differ_by_case_alone_collide() -> None:
    assert naming.colliding_folders(["Mira", "mira", "Lena", "A/B", "A_B"]) == [("Mira", "mira"), ("A/B", "A_B")]


def test_variant_images() -> None:
    assert naming.variant_file_name("clothed") == "clothed.png"
    with pytest.raises(InvalidInputError):
        naming.variant_file_name("Clothed")
