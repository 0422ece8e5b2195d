"""The frames of a dynamic PET: when they were, which are averaged, and what is said of the mean."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

LONGEST_FRAME = 4 * 3600.0  # seconds; longer ones are told in milliseconds
LATEST = 48 * 3600.0  # seconds; on the clock of any day
TOLERANCE = 1.0  # seconds by which a frame may reach out of the window
_TIMES = ("FrameDuration", "FrameTimesStart")
_BY_FRAME = ("DecayFactor", "DecayCorrectionFactor", "DoseCalibrationFactor", "ScaleFactor")
_BY_FRAME += ("ScatterFraction",)

Window = tuple[float, float | None]


@dataclass(frozen=True)
class FrameTimes:
    """When the frames of a PET were, as far as its sidecar says, in seconds.

    Attributes
    ----------
    starts, durations : array (frames,) or None
        On the clock of the sidecar's FrameTimesStart.
    lag
        To add to `starts` where they count from the scan's start and that is later than zero.
    shift
        To add to `starts` for seconds after injection.
    injection_told
        Whether the sidecar says when the tracer was injected or the scan began.
    """

    starts: np.ndarray | None
    durations: np.ndarray | None
    lag: float
    shift: float
    injection_told: bool


def read_times(told: Mapping[str, Any], frames: int) -> FrameTimes:
    """Read the times of a PET's frames from its sidecar.

    Milliseconds are turned into seconds, and a closing zero or the end of the last frame as one
    entry too many is left out. A list that does not fit the number of frames says nothing.

    Parameters
    ----------
    told
        BIDS sidecar: FrameTimesStart, FrameDuration, InjectionStart, ScanStart.
    frames
        Of the image.
    """
    starts, ends = _numbers(told.get("FrameTimesStart")), None
    durations = _numbers(told.get("FrameDuration"))
    starts = _in_seconds(starts, LATEST)
    durations = _in_seconds(durations, LONGEST_FRAME)
    if starts is not None and len(starts) == frames + 1:
        ends = None if starts[-1] == 0 else starts[1:]
        starts = starts[:-1]
    if durations is not None and len(durations) == frames + 1 and durations[-1] == 0:
        durations = durations[:-1]
    if durations is None and ends is not None and starts is not None:
        durations = ends - starts
    starts = starts if starts is not None and len(starts) == frames else None
    durations = durations if durations is not None and len(durations) == frames else None
    if durations is not None and ((durations[:-1] <= 0).any() or durations[-1] < 0):
        durations = None
    if starts is not None and frames > 1 and starts[-1] == 0 < starts[-2]:
        last = None if durations is None else starts[-2] + durations[-2]
        starts = None if last is None else np.append(starts[:-1], last)
    injection, scan = (moment(told.get(key)) for key in ("InjectionStart", "ScanStart"))
    lag = 0.0
    if starts is not None and scan is not None and starts[0] < scan - TOLERANCE:
        lag = scan - float(starts[0])
    shift = lag - (injection or 0.0)
    return FrameTimes(starts, durations, lag, shift, injection is not None or scan is not None)


def frame_weights(
    told: Mapping[str, Any], frames: int, window: Window | None, label: str
) -> np.ndarray:
    """Return what each frame of a dynamic PET counts in the mean.

    Parameters
    ----------
    told
        BIDS sidecar of the PET.
    frames
        Number of its frames, two or more.
    window
        Minutes after injection, from and to (None: to the end), in which a frame must lie to
        count; None for all frames.
    label
        What error messages call the PET.

    Returns
    -------
    array (frames,)
        Seconds where durations are known, else ones; 0 outside the window.

    Raises
    ------
    ScanError
        No frame lies in the window, or the sidecar does not say when they were.
    """
    times = read_times(told, frames)
    weights = np.ones(frames)
    if times.durations is not None and times.durations.any():
        weights = times.durations.astype(np.float64)
    else:
        log.warning("%s: the durations of %d frames are not known: taken as equal", label, frames)
    if window is not None and tuple(window) != (0, None):
        weights = weights * _inside(times, frames, window, label)
    return weights


def _inside(times: FrameTimes, frames: int, window: Window, label: str) -> np.ndarray:
    """Return which frames lie in a window (frames,)."""
    asked = f"{window[0]:g} min to " + ("the end" if window[1] is None else f"{window[1]:g} min")
    if times.starts is None or (window[1] is not None and times.durations is None):
        raise ScanError(
            f"{label}: which of its {frames} frames are of {asked} after injection is not known: "
            "its JSON has no FrameTimesStart and FrameDuration of as many; add them, or set "
            "pet_window_min to [0, null] to average all frames"
        )
    starts = times.starts + times.shift
    ends = starts if times.durations is None else starts + times.durations
    chosen = starts >= 60 * window[0] - TOLERANCE
    if window[1] is not None:
        chosen &= ends <= 60 * window[1] + TOLERANCE
    if times.durations is not None:
        chosen &= times.durations > 0
    if not chosen.any():
        clock = "injection" if times.injection_told else "the start that its JSON counts from"
        raise ScanError(
            f"{label}: none of its {frames} frames lies in {asked} after injection; they are from "
            f"{starts.min() / 60:.4g} to {ends.max() / 60:.4g} min after {clock}; set "
            "pet_window_min to minutes that there are"
        )
    return chosen


def mean_sidecar(told: Mapping[str, Any], weights: np.ndarray) -> dict[str, Any]:
    """Return the sidecar of the one volume made of a PET's frames.

    FrameDuration is the sum of theirs and FrameTimesStart the start of the first, lists of one, in
    seconds on the clock of the source's ScanStart. What cannot be told, and other values that were
    one a frame, are left out. A PET of one frame keeps what it has, in seconds; one that was
    averaged before still lists its frames.

    Parameters
    ----------
    told
        BIDS sidecar of the source.
    weights : array (frames,)
        As `frame_weights` gives them.
    """
    if len(weights) == 1:
        return _static_sidecar(told)
    times, used = read_times(told, len(weights)), weights > 0
    kept = _not_by_frame(told)
    if times.durations is not None:
        kept["FrameDuration"] = [_plain(times.durations[used].sum())]
    if times.starts is not None and _fits(told.get("FrameDuration"), len(weights)):
        kept["FrameTimesStart"] = [_plain(times.starts[used][0] + times.lag)]
    return kept


def _fits(durations: object, frames: int) -> bool:
    """Tell whether durations, if listed, are of so many frames, or of these and a closing zero."""
    if not isinstance(durations, list) or len(durations) == frames:
        return True
    return len(durations) == frames + 1 and durations[-1] == 0


def _static_sidecar(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sidecar of a PET of one volume, with its times in seconds.

    Lists of several frames are those of a mean that was made before, and are made one.
    """
    times = {}
    for key, longest in (("FrameDuration", LONGEST_FRAME), ("FrameTimesStart", LATEST)):
        values = _numbers(told.get(key))
        if values is not None and _in_seconds(values, longest) is not values:
            times[key] = [_plain(value / 1000) for value in values]
    lengths = {len(value) for key in _TIMES if isinstance(value := told.get(key), list)} - {1}
    if not lengths:
        return {**told, **times}
    kept = _not_by_frame(told)
    durations, starts = (_numbers({**told, **times}.get(key)) for key in _TIMES)
    if len(lengths) > 1 or 0 in lengths:
        return kept
    if durations is not None and (durations > 0).all():
        kept["FrameDuration"] = [_plain(durations.sum())]
    if starts is not None:
        kept["FrameTimesStart"] = [_plain(starts.min())]
    return kept


def _not_by_frame(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a sidecar is no time of a frame and no list of one value a frame."""
    return {
        key: value
        for key, value in told.items()
        if key not in _TIMES and not (key in _BY_FRAME and isinstance(value, list))
    }


def source_of_mean(told: Mapping[str, Any], weights: np.ndarray) -> dict[str, Any]:
    """Return what the sidecar of a mean says of its source, in keys of its own.

    FramesAveraged and FramesOfSource are counts; WindowOfSource, where the times are known, has the
    first and the last second that went in, after injection where the source says when that was.

    Parameters
    ----------
    told, weights
        As for `mean_sidecar`.
    """
    times, used = read_times(told, len(weights)), weights > 0
    content: dict[str, Any] = {
        "FramesAveraged": int(used.sum()),
        "FramesOfSource": len(weights),
    }
    if times.starts is not None and times.durations is not None:
        starts = times.starts[used] + times.shift
        last = (starts + times.durations[used]).max()
        content["WindowOfSource"] = [_plain(starts[0]), _plain(last)]
    return content


def _numbers(value: object) -> np.ndarray | None:
    """Return a list of finite numbers as an array; None for anything else."""
    listed = value if isinstance(value, list) else [value]
    if not listed or any(_number(entry) is None for entry in listed):
        return None
    return np.array(listed, dtype=np.float64)


def _number(value: object) -> float | None:
    """Return a finite number, or None."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else None


def moment(value: object) -> float | None:
    """Return one time of a sidecar in seconds, told in milliseconds or not; None for no number."""
    number = _number(value)
    return number / 1000 if number is not None and abs(number) > LATEST else number


def _in_seconds(values: np.ndarray | None, longest: float) -> np.ndarray | None:
    """Turn milliseconds into seconds, where the values are too large for seconds."""
    if values is None or not len(values) or np.abs(values).max() <= longest:
        return values
    return values / 1000


def _plain(value: float) -> float | int:
    rounded = round(float(value), 3)
    return int(rounded) if rounded.is_integer() else rounded
