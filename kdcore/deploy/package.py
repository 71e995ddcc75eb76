"""A zip that works by itself: network, card, labels, preprocessing, and an example that was run.

The example needs NumPy, Pillow and one runtime: ONNX Runtime, or torch for its own two formats. It
is unpacked from the very bytes of the zip and run on a drawn picture, as its reader will run it;
what it prints is compared with the network, and goes into the zip, before that is written.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import ExportError, write_bytes
from kdcore.base.errors import last_line
from kdcore.data import draw_lesion
from kdcore.deploy.artefact import Artefact, read_artefact, record_of, run_artefact
from kdcore.deploy.metadata import NOTICE
from kdcore.models import Checkpoint
from kdcore.predict import predict_image
from kdcore.predict.probabilities import softmax

# Largest change of a probability between the network here and the example there.
PROBABILITY_TOLERANCES: Mapping[str, float] = {"float32": 1e-3, "float16": 2e-2, "int8": 0.3}
_SAMPLE = ("mel", 15)
_PICTURE = "drawn-sample.png"
_SECONDS = 120
SAID = "example-output.txt"
_EXAMPLE = '''"""python example.py PICTURE: classes by probability. Not for diagnosis."""
import json
import sys
from pathlib import Path

import numpy as np
import RUNTIME
from PIL import Image, ImageOps

here = Path(__file__).parent
how = json.loads((here / "preprocessing.json").read_text(encoding="utf-8"))
labels = (here / "labels.txt").read_text(encoding="utf-8").splitlines()
image = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
side, size = min(image.size), how["size"]
left, top = (image.width - side) / 2, (image.height - side) / 2
box = (left, top, left + side, top + side)
batch = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))[None]
if not how["normalises_itself"]:
    batch = ((batch / 255 - how["mean"]) / how["std"]).transpose(0, 3, 1, 2).astype(np.float32)
RUN
probs = np.exp(logits - logits.max())
probs /= probs.sum()
for index in np.argsort(-probs):
    print(f"{labels[index]}\\t{probs[index]:.6f}")
'''


_CALL = 'logits = model(torch.tensor(batch))[0].detach().numpy() / how["temperature"]'
# Of each format the package that runs it, and the lines that do.
_RUNTIMES: Mapping[str, tuple[str, str]] = {
    "onnx": (
        "onnxruntime",
        'session = onnxruntime.InferenceSession(here / how["model"])\n'
        "logits = session.run(None, {session.get_inputs()[0].name: batch})[0][0]"
        ' / how["temperature"]',
    ),
    "torchscript": ("torch", f'model = torch.jit.load(here / how["model"])\n{_CALL}'),
    "export": ("torch", f'model = torch.export.load(here / how["model"]).module()\n{_CALL}'),
}


def example(form: str) -> str:
    """Return the program of a format, one of `FORMATS`, that answers for one picture."""
    runtime, lines = _RUNTIMES[form]
    return _EXAMPLE.replace("RUNTIME", runtime).replace("RUN", lines)


def package(path: Path, checkpoint: Checkpoint, target: Path) -> dict[str, float]:
    """Write the zip of an exported file; returns what its example printed.

    Parameters
    ----------
    path : the exported file; its record lies beside it
    checkpoint : what it was exported from
    target : the zip; written whole or not at all

    Returns
    -------
    probabilities of the drawn sample by class, the likeliest first

    Raises
    ------
    ExportError
        If the file is broken or of other weights, or the example fails or does not answer as the
        network does.
    """
    path = Path(path)
    artefact = read_artefact(path)
    if artefact.checkpoint_hash != checkpoint.hash:
        raise ExportError(
            f"{path.name} is not an export of {checkpoint.card.name}.",
            "Export the checkpoint again, then package that.",
        )
    run_artefact(path)  # raises if the file is not whole
    files = _files(path, checkpoint, artefact)
    text = _run_example(_zipped(files), path.name)
    printed = _read(text)
    _compare(printed, checkpoint, PROBABILITY_TOLERANCES[artefact.precision])
    data = _zipped(files | {SAID: text.encode()})
    write_bytes(Path(target), data)
    return printed


def _files(path: Path, checkpoint: Checkpoint, artefact: Artefact) -> dict[str, bytes]:
    """Return the content of the zip by name."""
    card, picture = checkpoint.card, io.BytesIO()
    draw_lesion(*_SAMPLE).save(picture, "PNG")
    how = {
        "model": path.name,
        "steps": "upright by EXIF; RGB; centre square of the short side; bicubic, antialiased "
        "resize to size x size; divided by 255; less mean, over std, channel by channel",
        "size": card.input_size,
        "mean": card.mean,
        "std": card.std,
        "normalises_itself": artefact.folded,
        "temperature": card.temperature,
        "after": "divide the logits by the temperature, then softmax",
    }
    texts = {
        "README.txt": _readme(checkpoint, artefact.format),
        "card.json": _json(asdict(card)),
        "labels.txt": "\n".join(card.classes) + "\n",
        "preprocessing.json": _json(how),
        "example.py": example(artefact.format),
    }
    files = {name: text.encode() for name, text in texts.items()}
    record = record_of(path)
    files |= {_PICTURE: picture.getvalue(), record.name: record.read_bytes()}
    return {path.name: path.read_bytes()} | files


def _readme(checkpoint: Checkpoint, form: str) -> str:
    card = checkpoint.card
    return (
        f"{card.title or card.name}\n\n{NOTICE}\n\n"
        f"Licence of the weights: {card.licence or 'not stated; ask who trained them'}.\n"
        "example.py: MIT. The drawn sample shows nobody's skin and measures nothing.\n"
        f"Provenance: {card.provenance or 'not stated'}\n\n"
        f"pip install {_RUNTIMES[form][0]} numpy pillow\n"
        f"python example.py {_PICTURE}\n\n"
        f"What it printed when this was made is in {SAID}.\n"
    )


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _run_example(data: bytes, name: str) -> str:
    """Unpack the zip elsewhere, run its example on its picture, and return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "example.py", _PICTURE],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ExportError(
                f"The example for {name} took over {_SECONDS} s.", "Try again on a free machine."
            ) from error
    if done.returncode:
        raise ExportError(
            f"The example for {name} fails: {last_line(done.stderr)}.", "Export the network again."
        )
    return done.stdout


def _read(printed: str) -> dict[str, float]:
    """Return the probabilities by class that an example has printed."""
    rows = (line.split("\t") for line in printed.splitlines())
    return {label: float(probability) for label, probability in rows}


def _compare(printed: Mapping[str, float], checkpoint: Checkpoint, tolerance: float) -> None:
    card = checkpoint.card
    logits = predict_image(checkpoint, draw_lesion(*_SAMPLE)).logits[None] / card.temperature
    wanted: NDArray[np.float64] = softmax(logits)[0]
    got = np.array([printed.get(name, np.nan) for name in card.classes])
    if not np.abs(got - wanted).max() <= tolerance:  # NaN is not within it either
        raise ExportError(
            f"The example of {card.name} does not answer as the network does: its probabilities "
            f"differ by {np.abs(got - wanted).max():.2g}, at most {tolerance:.2g} are allowed.",
            "Nothing was written. Export the network again, INT8 on more pictures.",
        )
