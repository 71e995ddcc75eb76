"""What a map answers, so that the same can be asked of another picture, network or class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from kdcore.base.progress import CancelCheck
from kdcore.explain.maps import Heatmap, check_heatmap
from kdcore.explain.methods import METHODS
from kdcore.explain.passes import check_image
from kdcore.models import Classifier

Explainer = Callable[[Classifier, Tensor, int], Heatmap]


@dataclass(frozen=True, eq=False)
class MapQuestion:
    """Where a network sees a class in a picture, asked by one method.

    Attributes
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    method : a name in `METHODS`, or (model, tensor, target) to a map (H, W) in [0, 1]
    stage : of a named method, negative from the end
    """

    model: Classifier
    tensor: Tensor
    target: int
    method: str | Explainer
    stage: int = -1

    @property
    def by_class(self) -> bool:
        """Whether the method makes another map for another class, as far as is known."""
        return not isinstance(self.method, str) or METHODS.get(self.method).uses_target

    @property
    def slow(self) -> bool:
        """Whether a map takes seconds, as far as is known."""
        return isinstance(self.method, str) and METHODS.get(self.method).slow

    def answer(self, cancelled: CancelCheck | None = None) -> Heatmap:
        """Return the map (H, W); a named method asks `cancelled` while it runs.

        Raises
        ------
        SettingError
            If the method is unknown.
        ValueError
            If the tensor is not such, or the method's map is not (H, W) in [0, 1].
        Cancelled
            If `cancelled` returned true.
        """
        given = (self.model, check_image(self.tensor), self.target)
        if isinstance(self.method, str):
            found = METHODS.get(self.method).compute(*given, self.stage, None, cancelled)
        else:
            found = self.method(*given)
        return self.checked(found)

    def checked(self, heatmap: Heatmap) -> Heatmap:
        """Return a map (H, W) that may be the answer; raises ValueError for any other."""
        return check_heatmap(heatmap, (self.tensor.shape[-2], self.tensor.shape[-1]))
