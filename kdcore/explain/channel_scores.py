"""The state of a Score-CAM: which channels' masks are scored, and the map as far as it is known.

Masks come in the order of what they tell: first a few that are far from each other, then those
that the map is expected to owe most to. Scores not yet known are predicted from the others.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.channel_masks import distinct_masks, mask_points, masked_images
from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.passes import check_image, check_stage, check_target
from kdcore.explain.quick_network import quick_dtype, quick_network
from kdcore.explain.score_prediction import farthest_first, predict_scores
from kdcore.models import Classifier

_BATCH_PIXELS = 320_000  # in one pass: beyond it a batch leaves the caches and gets no faster


class ChannelScores:
    """The target's logit behind each channel's mask of one network, for one image.

    It holds a quick copy of the network, the stage and a score per mask; masked images are made
    in batches and dropped.

    Parameters
    ----------
    model : one network, not an ensemble; read once, never touched
    tensor : (1, 3, H, W), normalised
    target : class index
    stage : which stage's channels are the masks, negative from the end
    dtype : of the masked passes; None for `quick_dtype`
    """

    def __init__(
        self,
        model: Classifier,
        tensor: Tensor,
        target: int,
        stage: int,
        dtype: torch.dtype | None = None,
    ) -> None:
        index = check_stage(model, stage)
        self._image = check_image(tensor).to(memory_format=torch.channels_last)
        self._dtype = dtype or quick_dtype(model)
        self._network, output = quick_network(model, self._image, self._dtype)
        self._target = check_target(output.logits, target)
        self._channels = output.stages[index][0].contiguous()  # (K, h, w)
        self._first, self._which = distinct_masks(self._channels)
        self._scores = np.zeros(self.masks, dtype=np.float32)
        self._known = np.zeros(self.masks, dtype=bool)

    @property
    def masks(self) -> int:
        """How many distinct masks the channels have."""
        return len(self._first)

    @property
    def scored(self) -> int:
        """How many of the masks are scored."""
        return int(self._known.sum())

    @property
    def channels(self) -> int:
        """How many channels the stage has."""
        return len(self._which)

    @property
    def channels_scored(self) -> int:
        """How many channels have a mask that is scored."""
        return int(self._known[self._which].sum())

    def score(
        self,
        until: int,
        batch_size: int | None = None,
        progress: Progress | None = None,
        cancelled: CancelCheck | None = None,
    ) -> None:
        """Score masks until `until` of them are known, or all; what is known stays known.

        Parameters
        ----------
        until : number of masks, those scored before included
        batch_size : masked images in one pass; None for as many as the processor likes
        progress : called with (done, `until`) masks before the first and after each batch
        cancelled : asked before each batch; what was scored until then is kept

        Raises
        ------
        Cancelled
            If `cancelled` returned true.
        """
        until = min(until, self.masks)
        rows = self._next(max(until - self.scored, 0))
        size = batch_size or max(4, _BATCH_PIXELS // self._image[0, 0].numel())
        report = progress or (lambda done, total: None)
        report(until - len(rows), until)
        for start in range(0, len(rows), size):
            stop_if(cancelled, "Score-CAM")
            batch = rows[start : start + size]
            self._scores[batch] = self._logits(batch)
            self._known[batch] = True
            report(until - len(rows) + start + len(batch), until)

    def heatmap(self) -> Heatmap:
        """Return the map (H, W) in [0, 1], scores not yet known predicted; needs one at least."""
        weights = torch.softmax(torch.from_numpy(self._expected()[self._which]), 0)  # (K,)
        cam = (weights.to(self._channels.device)[:, None, None] * self._channels).sum(0)
        return finish_cam(cam.cpu().numpy(), (self._image.shape[-2], self._image.shape[-1]))

    def _logits(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        with torch.inference_mode():
            images = masked_images(self._image, self._channels[self._first[rows]], self._dtype)
            return self._network(images).logits[:, self._target].float().cpu().numpy()

    def _expected(self) -> NDArray[np.float32]:
        known, expected = self._known, self._scores.copy()
        if not known.all():
            points = self._points()
            expected[~known] = predict_scores(points[known], expected[known], points[~known])
        return expected

    def _next(self, count: int) -> NDArray[np.int64]:
        """Return the `count` masks to score next."""
        left = np.flatnonzero(~self._known)
        if count == len(left):
            return left
        if len(left) == self.masks:
            # Far from each other, and the sooner, the more the map can owe to the channel.
            spread = self._points() * np.sqrt(self._sizes())[:, None]
            return farthest_first(spread, int(self._sizes().argmax()), count)
        expected = self._expected()[left]
        share = np.exp(expected - expected.max()) * self._sizes()[left]
        return left[np.argsort(-share, kind="stable")[:count]]

    def _points(self) -> NDArray[np.float32]:
        return mask_points(self._channels[self._first])

    def _sizes(self) -> NDArray[np.float32]:
        flat = self._channels[self._first].flatten(1).cpu().numpy()
        return np.sqrt((flat**2).sum(1))
