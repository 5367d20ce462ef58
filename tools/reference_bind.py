"""Compute the numbers that the inputs of ImageBind's towers are tested against, with the programs that ImageBind prepares them with.

Needs torch, torchaudio and torchvision (2.4.1, 2.4.1, 0.19.1 were used), which nearimage does without. The steps are those of ImageBind's `data.py`; where it
calls a function of torchaudio, torchvision or torch, so does this.

python tools/reference_bind.py tests/unit/vectorizers/bind_reference.json
"""

# mypy: ignore-errors
import json
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from PIL import Image
from torchvision import transforms

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.unit.vectorizers.bind_inputs import FILMS, GREYS, SOUNDS, film, grey, some_of, sound

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def clips(duration_s: float, count: int) -> list[tuple[Fraction, Fraction]]:
    """pytorchvideo's ConstantClipsPerVideoSampler with clips of 2 s."""
    step = Fraction(Fraction(max(duration_s - Fraction(2), 0)), max(count - 1, 1))
    return [(step * number, step * number + 2) for number in range(count)]


def audio(samples: Any, rate: int) -> Any:
    """load_and_transform_audio_data behind torchaudio.load."""
    waveform = torch.from_numpy(samples)
    if rate != 16_000:
        waveform = torchaudio.functional.resample(waveform, orig_freq=rate, new_freq=16_000)
    made = []
    for start, end in clips(waveform.size(1) / 16_000, 3):
        clip = waveform[:, int(start * 16_000) : int(end * 16_000)].clone()
        clip -= clip.mean()
        banks = torchaudio.compliance.kaldi.fbank(
            clip,
            htk_compat=True,
            sample_frequency=16_000,
            use_energy=False,
            window_type="hanning",
            num_mel_bins=128,
            dither=0.0,
            frame_length=25,
            frame_shift=10,
        ).transpose(0, 1)
        missing = 204 - banks.size(1)
        banks = torch.nn.functional.pad(banks, (0, missing)) if missing > 0 else banks[:, :204]
        made.append((banks.unsqueeze(0) + 4.268) / 9.138)
    return torch.stack(made).numpy()


def video(frames: Any, rate: float) -> Any:
    """load_and_transform_video_data behind decord; short_side_scale and uniform_temporal_subsample are pytorchvideo's."""
    made = []
    for start, end in clips(len(frames) / rate, 5):
        chosen = frames[math.ceil(rate * start) : min(math.ceil(rate * end), len(frames))]
        clip = torch.from_numpy(chosen).permute(3, 0, 1, 2).to(torch.float32)
        places = torch.clamp(torch.linspace(0, clip.shape[1] - 1, 2), 0, clip.shape[1] - 1).long()
        clip = torch.index_select(clip, 1, places) / 255.0
        height, width = clip.shape[2:]
        size = (math.floor(float(height) / width * 224), 224) if width < height else (224, math.floor(float(width) / height * 224))
        clip = torch.nn.functional.interpolate(clip, size=size, mode="bilinear", align_corners=False)
        clip = (clip - torch.tensor(MEAN)[:, None, None, None]) / torch.tensor(STD)[:, None, None, None]
        height, width = clip.shape[2:]
        for which in range(3):
            top, left = math.ceil((height - 224) / 2), math.ceil((width - 224) / 2)
            if height > width:
                top = (0, top, height - 224)[which]
            else:
                left = (0, left, width - 224)[which]
            made.append(clip[:, :, top : top + 224, left : left + 224])
    return torch.stack(made).numpy()


def brightness(pixels: Any) -> Any:
    """Pictures of depth and heat, as Weaviate's container for ImageBind prepares them."""
    steps = [
        transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize(mean=(MEAN[0],), std=(STD[0],)),
    ]
    return transforms.Compose(steps)(Image.fromarray(pixels).convert("L")).numpy()


def main() -> None:
    """Write them all."""
    numbers = {
        "audio": {name: some_of(audio(sound(case), case.rate)) for name, case in SOUNDS.items()},
        "video": {name: some_of(video(film(case), case.rate)) for name, case in FILMS.items()},
        "grey": {name: some_of(brightness(grey(case))) for name, case in GREYS.items()},
    }
    text = json.dumps({kind: {name: [round(float(v), 5) for v in values] for name, values in cases.items()} for kind, cases in numbers.items()}, indent=1)
    Path(sys.argv[1]).write_text(text.replace(",\n   ", ",") + "\n", "utf-8")
    print({kind: {name: len(np.atleast_1d(values)) for name, values in cases.items()} for kind, cases in numbers.items()})


if __name__ == "__main__":
    main()
