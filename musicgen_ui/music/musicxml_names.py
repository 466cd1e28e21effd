"""Names of instruments on sheet music, in English and in Chinese."""

from __future__ import annotations

from musicgen_ui.music.instruments import GM_NAMES, KITS

LANGUAGES = ("en", "zh")

_SHORT = {"acoustic grand piano": "piano", "bright acoustic piano": "piano", "electric grand piano": "electric piano"}
"""Names that would take too much room before a staff."""

_CHINESE = {
    "acoustic grand piano": "钢琴", "bright acoustic piano": "明亮钢琴", "electric grand piano": "电三角钢琴",
    "electric piano 1": "电钢琴 1", "electric piano 2": "电钢琴 2", "harpsichord": "羽管键琴", "clavinet": "击弦古钢琴",
    "vibraphone": "颤音琴", "marimba": "马林巴", "drawbar organ": "拉杆风琴", "percussive organ": "敲击风琴",
    "rock organ": "摇滚风琴", "church organ": "管风琴", "reed organ": "簧风琴", "accordion": "手风琴",
    "harmonica": "口琴", "nylon guitar": "尼龙弦吉他", "steel guitar": "钢弦吉他", "jazz guitar": "爵士吉他",
    "clean guitar": "清音电吉他", "muted guitar": "闷音吉他", "overdriven guitar": "过载吉他",
    "distortion guitar": "失真吉他", "acoustic bass": "低音提琴（拨奏）", "finger bass": "指弹贝斯",
    "pick bass": "拨片贝斯", "fretless bass": "无品贝斯", "slap bass 1": "击弦贝斯 1", "synth bass 1": "合成贝斯 1",
    "synth bass 2": "合成贝斯 2", "violin": "小提琴", "cello": "大提琴", "contrabass": "低音提琴",
    "pizzicato strings": "拨弦弦乐", "harp": "竖琴", "string ensemble 1": "弦乐合奏 1",
    "string ensemble 2": "弦乐合奏 2", "synth strings 1": "合成弦乐 1", "synth strings 2": "合成弦乐 2",
    "voice oohs": "人声“呜”", "trumpet": "小号", "trombone": "长号", "tuba": "大号", "muted trumpet": "弱音小号",
    "french horn": "圆号", "brass section": "铜管组", "synth brass 1": "合成铜管 1", "soprano sax": "高音萨克斯",
    "alto sax": "中音萨克斯", "tenor sax": "次中音萨克斯", "baritone sax": "上低音萨克斯", "oboe": "双簧管",
    "clarinet": "单簧管", "piccolo": "短笛", "flute": "长笛", "recorder": "竖笛", "pan flute": "排箫",
    "square lead": "方波主音", "saw lead": "锯齿波主音", "new age pad": "新世纪音垫", "warm pad": "温暖音垫",
    "polysynth pad": "复音音垫", "banjo": "班卓琴", "koto": "日本筝", "steel drums": "钢鼓",
    "standard kit": "标准套鼓", "room kit": "房间套鼓", "power kit": "强力套鼓", "electronic kit": "电子套鼓",
    "808 kit": "808 鼓机", "brush kit": "鼓刷套鼓", "orchestra kit": "管弦乐打击乐",
}  # fmt: skip


def part_name(part: str, program: int, language: str = "en") -> str:
    """Name of the instrument that plays a part.

    Args:
        part: one of PARTS.
        program: General MIDI program; of drums, the kit's.
        language: one of LANGUAGES; what has no name there keeps its English one.
    """
    kits = {number: name for name, number in KITS.items()}
    name = kits.get(program, "standard kit") if part == "drums" else GM_NAMES[program]
    if language == "zh" and name in _CHINESE:
        return _CHINESE[name]
    words = _SHORT.get(name, name).split()
    return " ".join(word[0].upper() + word[1:] for word in words)


def abbreviation(name: str) -> str:
    """A short form for all systems but the first, such as ``T. Sax`` or ``Flut.``; Chinese names stay."""
    if not name.isascii():
        return name
    words = [word for word in name.split() if word.isalpha()] or name.split()
    last = words[-1] if len(words[-1]) < 5 else f"{words[-1][:4]}."
    return " ".join([*(f"{word[0]}." for word in words[:-1]), last])
