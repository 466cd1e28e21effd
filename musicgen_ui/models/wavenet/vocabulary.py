"""Which of the instruments that the raw-audio WaveNet has learned plays for one that it has not."""

from __future__ import annotations

from collections.abc import Sequence

from musicgen_ui.models.wavenet.raw import RawWaveNetConfig

_KIN = {
    1: (11,),
    2: (71,),
    3: (24,),
    4: (32, 33),
    5: (73,),
    6: (71,),
    7: (56,),
    8: (71,),
    9: (73,),
    10: (81,),
    11: (81,),
    12: (81,),
    13: (24,),
    14: (11,),
}
"""General MIDI family (program // 8) to programs that sound most like it, where none of the family is learned."""

_LIKE = {6: 24, 7: 24, 29: 81, 30: 81, 39: 38, 45: 24, 46: 24, 53: 73, 54: 73, 80: 71}
"""Programs that sound less like their family than like another instrument."""


def nearest_instrument(config: RawWaveNetConfig, program: int, pitches: Sequence[int]) -> int:
    """The instrument that plays a program.

    Args:
        config: of the model.
        program: General MIDI program, 0-127.
        pitches: what it is to play: an instrument that has learned few of them is passed over.

    Returns:
        index into the config's programs.
    """
    known = config.programs

    def covered(index: int) -> float:
        low, high = config.lows[index], config.highs[index]
        return sum(low <= pitch <= high for pitch in pitches) / max(len(pitches), 1)

    def rank(index: int) -> tuple[float, ...]:
        other = known[index]
        family = program // 8
        kin = _KIN.get(family, ())
        kinship = (
            other == program,
            other == _LIKE.get(program),
            program not in _LIKE and other // 8 == family,
            other in kin,
        )
        return (covered(index) >= 0.5 or not pitches, *kinship, covered(index), -abs(other - program))

    return max(range(len(known)), key=rank)
