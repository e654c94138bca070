"""How much each measurement does: enough to be believed in `FULL`, enough to be seen working in `QUICK`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` alternate between what is compared. Lengths are in tokens of one row."""

    rounds: int
    stream: int  # one stream
    company: int  # each of sixteen
    served: int  # what the one HTTP client asks for
    served_16: int  # what each of sixteen asks for
    newcomer: int  # the prompt of a newcomer
    heavy: int  # the prompt of a request that keeps the model busy
    beams: int  # what it writes
    looped: int  # each of the rows whose steps are timed
    bare: int  # steps without sampling
    starts: int  # of the app
    rows: int  # windows of a text that are read side by side
    window: int  # tokens of each
    traced: int  # a run that is traced
    replayed: int  # a run that is replayed
    knob_rounds: int


FULL = Scale(
    rounds=5, stream=64, company=32, served=160, served_16=64, newcomer=100, heavy=8000, beams=512, looped=48, bare=16,
    starts=3, rows=16, window=256, traced=32, replayed=256, knob_rounds=3,
)  # fmt: skip
QUICK = Scale(
    rounds=2, stream=4, company=6, served=6, served_16=4, newcomer=20, heavy=60, beams=30, looped=24, bare=2, starts=1,
    rows=2, window=6, traced=4, replayed=6, knob_rounds=1,
)  # fmt: skip
