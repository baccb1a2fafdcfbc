"""Brings speech to 8 kHz mono, and composes the music and the ring tone for those who wait.

Usage: make.py speech IN.wav OUT.wav BEFORE AFTER | make.py music OUT.wav | make.py ring OUT.wav |
make.py pause OUT.wav SECONDS
"""

import array
import functools
import math
import operator
import sys
import wave

RATE = 8000


def write(path, samples, scale):
    """Writes samples, each times `scale`."""
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(array.array("h", (round(s * scale) for s in samples)).tobytes())


def to_peak(samples, decibels):
    """The scale that brings the loudest sample to so much of full scale."""
    return 32767 * 10 ** (decibels / 20) / max(abs(s) for s in samples)


def to_loudness(samples, decibels):
    """The same for the loudest tenth of a second, with no sample beyond -1 dB."""
    tenth = RATE // 10
    energy = max(sum(s * s for s in samples[n : n + tenth]) for n in range(0, len(samples), tenth // 4))
    return min(32767 * 10 ** (decibels / 20) / math.sqrt(energy / tenth), to_peak(samples, -1))


def speech(source, path, before, after):
    """Resamples by a windowed sinc, and puts so many seconds of silence in place of that at both ends."""
    with wave.open(source, "rb") as wav:
        rate, sound = wav.getframerate(), array.array("h", wav.readframes(wav.getnframes()))
    reach = math.ceil(24 * rate / RATE)
    padded = array.array("h", bytes(2 * reach)) + sound + array.array("h", bytes(2 * reach + 2))
    weights = functools.cache(lambda phase: sinc(phase / RATE, 0.94 * RATE / rate, reach))
    out = []
    for n in range(len(sound) * RATE // rate):
        place, phase = divmod(n * rate, RATE)
        out.append(sum(map(operator.mul, weights(phase), padded[place : place + 2 * reach + 2])))
    loud = [n for n, s in enumerate(out) if abs(s) > 100]
    spoken = out[loud[0] : loud[-1]]
    silence = [[0.0] * round(seconds * RATE) for seconds in (before, after)]
    write(path, silence[0] + spoken + silence[1], to_loudness(spoken, -15))


def sinc(place, cutoff, reach):
    """What each sample from `reach` before to after counts at a place between two of them; one in all."""
    weights = []
    for i in range(-reach, reach + 2):
        x = i - place
        window = 0.42 + 0.5 * math.cos(math.pi * x / reach) + 0.08 * math.cos(2 * math.pi * x / reach)
        weight = window * (math.sin(math.pi * cutoff * x) / (math.pi * cutoff * x) if x else 1.0)
        weights.append(weight if abs(x) <= reach else 0.0)
    return [weight / sum(weights) for weight in weights]


def music(path):
    """Eight bars of soft, bell-like arpeggios; notes ring on across the loop, so it has no seam."""
    beat = 0.4
    # Fadd9, C/E, Dm7, Bb: each chord two bars, as semitones from A3 = 220 Hz, bass first.
    chords = [
        [-4, 3, 8, 10, 12],
        [-5, 3, 7, 10, 15],
        [-7, 0, 3, 8, 12],
        [-11, -4, 1, 8, 13],
    ]
    figure = [0, 2, 3, 4, 1, 3, 2, 4, 0, 1, 3, 4, 2, 4, 3, 1]
    length = round(len(chords) * len(figure) * beat * RATE)
    out = [0.0] * length
    for bar, chord in enumerate(chords):
        for step, voice in enumerate(figure):
            start = round((bar * len(figure) + step) * beat * RATE)
            loudness = 1.0 if voice == 0 else 0.55 + 0.1 * (step % 4 == 0)
            note(out, start, 220 * 2 ** (chord[voice] / 12), loudness)
    write(path, out, to_peak(out, -12))


def note(out, start, frequency, loudness):
    """Adds one struck note: a quick rise, then each partial dies away, the higher ones sooner."""
    for n in range(round(3.5 * RATE)):
        t = n / RATE
        rise = min(1.0, t / 0.015)
        fall = min(1.0, (3.5 - t) / 0.5)
        sound = sum(
            share * math.exp(-t * decay) * math.sin(2 * math.pi * frequency * partial * t)
            for partial, share, decay in ((1, 1.0, 1.6), (2, 0.3, 2.6), (3, 0.08, 4.0))
        )
        out[(start + n) % len(out)] += loudness * rise * fall * sound


def ring(path):
    """One turn of the UK's ring tone: 400 and 450 Hz, 0.4 s on, 0.2 s off, 0.4 s on, 2 s off."""
    def sound(n):
        on = n % (3 * RATE) < 0.4 * RATE or 0.6 * RATE <= n % (3 * RATE) < RATE
        return sum(math.sin(2 * math.pi * frequency * n / RATE) for frequency in (400, 450)) if on else 0.0

    out = [sound(n) for n in range(3 * RATE)]
    write(path, out, to_peak(out, -12))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["speech", source, path, before, after]:
            speech(source, path, float(before), float(after))
        case ["music", path]:
            music(path)
        case ["ring", path]:
            ring(path)
        case ["pause", path, seconds]:
            write(path, [0.0] * round(float(seconds) * RATE), 1)
        case _:
            sys.exit(__doc__)
