"""A playlist holds its clips in order, whatever becomes of them."""

from __future__ import annotations

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Missing, new_id
from musicgen_ui.library.playlists import MAX_ITEMS
from musicgen_ui.library.sharing import MAX_TOKEN, from_token, open_shared, to_m3u, to_token, to_values


@pytest.fixture
def clips(library, ann, clip):
    return [library.clips.add(ann, clip(n, seconds=10.0 + n)).id for n in range(4)]


def ids(playlist):
    return [clip.id for clip in playlist.clips]


def test_create_add_move_remove(library, ann, clips):
    a, b, c, d = clips
    made = library.playlists.create(ann, " Evening ", [a, b])
    assert (made.name, made.count, made.seconds, ids(made)) == ("Evening", 2, 21.0, [a, b])
    assert ids(library.playlists.add(ann, made.id, [c, a], at=1)) == [a, c, a, b]  # a clip may come twice
    assert ids(library.playlists.add(ann, made.id, [d])) == [a, c, a, b, d]
    assert ids(library.playlists.remove(ann, made.id, 2, a)) == [a, c, b, d]
    assert ids(library.playlists.reorder(ann, made.id, [d, c, b, a])) == [d, c, b, a]
    assert all(clip.kept for clip in library.playlists.get(ann, made.id).clips)
    listed = library.playlists.list(ann)
    assert [(one.id, one.count, one.seconds, one.clips) for one in listed] == [(made.id, 4, 46.0, None)]
    assert [clip.id for clip in listed[0].cover] == [d, c, b, a]
    assert listed[0].to_dict()["cover"][0]["heard"] == {"mood": 0.5}


def test_an_outdated_view_is_refused(library, ann, clips):
    made = library.playlists.create(ann, "x", clips[:2])
    deeds = (
        lambda: library.playlists.remove(ann, made.id, 0, clips[1]),
        lambda: library.playlists.remove(ann, made.id, 2, clips[1]),
        lambda: library.playlists.remove(ann, made.id, -1, clips[1]),
        lambda: library.playlists.reorder(ann, made.id, clips[:1]),
        lambda: library.playlists.reorder(ann, made.id, [*clips[:2], clips[0]]),
        lambda: library.playlists.add(ann, made.id, clips[:1], at=3),
        lambda: library.playlists.add(ann, made.id, clips[:1] * MAX_ITEMS),
        lambda: library.playlists.add(ann, made.id, [new_id()]),
    )
    for deed in deeds:
        with pytest.raises(RequestError):
            deed()
    assert ids(library.playlists.get(ann, made.id)) == clips[:2]


def test_delete_and_undo(library, ann, ben, clips):
    made = library.playlists.create(ann, "x", clips)
    with pytest.raises(Missing):
        library.playlists.delete(ben, made.id)
    library.playlists.delete(ann, made.id)
    assert library.playlists.list(ann) == []
    with pytest.raises(Missing):
        library.playlists.add(ann, made.id, clips)
    assert [one.id for one in library.playlists.list(ann, deleted=True)] == [made.id]
    assert ids(library.playlists.restore(ann, made.id)) == clips
    copy = library.playlists.duplicate(ann, made.id)
    assert copy.id != made.id
    assert (copy.name, ids(copy)) == ("x", clips)


def test_a_deleted_clip_is_hidden_and_comes_back(library, ann, clips):
    a, b, c, d = clips
    made = library.playlists.create(ann, "x", clips)
    library.clips.delete(ann, [b])
    assert ids(library.playlists.get(ann, made.id)) == [a, c, d]
    assert library.playlists.list(ann)[0].count == 3
    library.playlists.reorder(ann, made.id, [d, c, a])
    library.clips.restore(ann, [b])
    assert sorted(ids(library.playlists.get(ann, made.id))) == sorted(clips)
    library.clips.delete(ann, [c])
    library.clips.purge(ann, now=True)
    assert sorted(ids(library.playlists.get(ann, made.id))) == sorted([a, b, d])


def test_a_shared_playlist_makes_the_same_clips_elsewhere(library, other, ann, ben, clips):
    made = library.playlists.get(ann, library.playlists.create(ann, "Évening", [*clips, clips[0]]).id)
    token = to_token(made)
    there = open_shared(other, ben, from_token(token))
    assert [clip.recipe for clip in there.clips] == [clip.recipe for clip in made.clips]
    assert [clip.hash for clip in there.clips] == [clip.hash for clip in made.clips]
    assert {clip.origin for clip in there.clips} == {"opened"}
    assert not {clip.id for clip in there.clips} & set(clips)
    assert other.clips.list(ben).total == 4
    again = open_shared(other, ben, to_values(made))  # the same as a file: nothing is there twice
    assert ids(again) == ids(there)
    assert ann not in token
    assert to_values(there) == to_values(made)


def test_tokens_stay_short_or_are_none(library, ann, clip):
    many = [library.clips.add(ann, clip(n)).id for n in range(60)]
    lengths = [len(to_token(library.playlists.create(ann, "x", many[:n])) or "") for n in (1, 20, 60)]
    assert lengths[0] < 700
    assert lengths[1] < 3000
    assert max(lengths) <= MAX_TOKEN
    with pytest.raises(RequestError):
        to_token(library.playlists.create(ann, "empty"))


@pytest.mark.parametrize("cut", [0, 3, 4, 40, -1])
def test_damaged_tokens_are_refused(library, ann, ben, clips, cut):
    token = to_token(library.playlists.create(ann, "x", clips))
    with pytest.raises(RequestError, match="playlist link"):
        open_shared(library, ben, from_token(token[:cut]))
    assert library.clips.list(ben).total == 0


@pytest.mark.parametrize(
    "values", [None, [], {"clips": []}, {"clips": [1]}, {"clips": [{}]}, {"name": "x", "clips": {}}]
)
def test_shared_nonsense_is_refused(library, ben, values):
    with pytest.raises(RequestError):
        open_shared(library, ben, values)


def test_m3u_names_titles_and_seconds(library, ann, clips):
    made = library.playlists.create(ann, "Evening", clips[:2])
    text = to_m3u(made, ["a.wav", "b.wav"])
    assert text.splitlines() == [
        "#EXTM3U", "#PLAYLIST:Evening", "#EXTINF:10,Clip 0", "a.wav", "#EXTINF:11,Clip 1", "b.wav"
    ]  # fmt: skip
