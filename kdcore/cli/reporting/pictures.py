"""The report's section on the data set itself, where its folder is named: classes and pictures."""

from __future__ import annotations

import base64
import io

from PIL import Image

from kdcore.cli.reporting.models import ReportModels
from kdcore.data import ImageDataset, samples_by_part
from kdcore.data.montage import pick, sheet, shuffled_by_class
from kdcore.report.data_set import class_rows, part_rows
from kdcore.report.document import Figure, Section, Table, Text

_EACH, _HEIGHT, _DPI = 5, 96, 150
_NOTE = "Every image of the data set that was found; split as the teacher was trained."


def data_section(models: ReportModels, data: ImageDataset) -> Section:
    """Return classes and parts as tables, and a few pictures of each class of the training part.

    Raises
    ------
    DataError, ImageError
        If a picture can't be read.
    """
    recipe = models.teacher.model.card.recipe if models.teacher.model.card else {}
    parts = samples_by_part(data, recipe.get("split", ""), recipe.get("split_seed", 0))
    source = data.info.source
    shown = shuffled_by_class(parts["train"])
    groups = {dx: [s.image_id for s in pick(shown[dx], _EACH)] for dx in sorted(shown)}
    blocks = (
        Text(f"{data.info.name}, {data.info.licence}. {data.info.caution}".strip()),
        Table("data-classes", "Images of each class", class_rows(data.info, parts), _NOTE, source),
        Table("data-parts", "Parts of the split", part_rows(parts), _NOTE, source),
        _figure(sheet(data, groups, _HEIGHT), data, source),
    )
    return Section("data", "Data", blocks)


def _figure(image: Image.Image, data: ImageDataset, source: str) -> Figure:
    """Return the montage as a figure: photographs, so its SVG and PDF hold one picture."""
    title = f"Pictures of the training part by class, the first {_EACH} in hash order"
    jpeg, pdf = io.BytesIO(), io.BytesIO()
    image.save(jpeg, "JPEG", quality=90)
    image.save(pdf, "PDF", resolution=_DPI)
    size = f'width="{image.width}" height="{image.height}"'
    coded = base64.b64encode(jpeg.getvalue()).decode()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {image.width} {image.height}">'
        f'<image {size} href="data:image/jpeg;base64,{coded}"/></svg>'
    )
    return Figure("data-montage", title, source, svg.encode(), pdf.getvalue())
