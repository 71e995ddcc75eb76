"""torchvision's and timm's networks as `Classifier`s, their parameter names unchanged.

The stages are ResNet's four, the last feature map before each stride of the inverted-residual
networks, VGG's poolings, and timm's own `forward_intermediates` for everything else in timm.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import torch
import torchvision
from torch import Tensor, nn

from kdcore.models.output import Classifier


def outputs_at(layers: Iterable[nn.Module], ends: Container[int], x: Tensor) -> tuple[Tensor, ...]:
    """Return the maps (B, C, h, w) that the layers numbered in `ends` give.

    `x` (B, 3, H, W), or a map, runs through all `layers`.
    """
    stages = []
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in ends:
            stages.append(x)
    return tuple(stages)


class TorchvisionResNet(Classifier):
    """A torchvision ResNet; stages are layer1 to layer4."""

    stage_names = ("layer1", "layer2", "layer3", "layer4")
    head_name = "net.fc"

    def __init__(self, architecture: str, num_classes: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.net = getattr(torchvision.models, architecture)(num_classes=num_classes)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        net = self.net
        x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        stages = []
        for name in self.stage_names:
            x = getattr(net, name)(x)
            stages.append(x)
        return tuple(stages)

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.net.fc(torch.flatten(self.net.avgpool(last), 1))


class SmallStemResNet(TorchvisionResNet):
    """A torchvision ResNet for 32-pixel inputs: 3×3 stem of stride 1, no pooling after it."""

    def __init__(self, architecture: str, base: str, num_classes: int) -> None:
        super().__init__(base, num_classes)
        self.architecture = architecture
        self.net.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.net.maxpool = nn.Identity()


class TorchvisionSequential(Classifier):
    """A torchvision network of `features` and `classifier`, cut after the blocks in `ends`."""

    head_name = "net.classifier.1"  # behind its dropout

    def __init__(self, architecture: str, num_classes: int, ends: tuple[int, ...]) -> None:
        super().__init__()
        self.architecture = architecture
        self.net = getattr(torchvision.models, architecture)(num_classes=num_classes)
        self.ends = ends
        self.stage_names = tuple(f"features.{end}" for end in ends)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        return outputs_at(self.net.features, self.ends, images)

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.net.classifier(last.mean((2, 3)))


class TorchvisionVGG(Classifier):
    """A torchvision VGG; stages are what its second to fifth pooling give, strides 4 to 32."""

    head_name = "net.classifier.6"

    def __init__(self, architecture: str, num_classes: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.net = getattr(torchvision.models, architecture)(num_classes=num_classes)
        pools = [i for i, m in enumerate(self.net.features) if isinstance(m, nn.MaxPool2d)]
        self.ends = tuple(pools[1:])
        self.stage_names = tuple(f"features.{end}" for end in self.ends)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        return outputs_at(self.net.features, self.ends, images)

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.net.classifier(torch.flatten(self.net.avgpool(last), 1))


class TimmClassifier(Classifier):
    """Any timm network that has `forward_intermediates`; stages as timm lists them."""

    def __init__(self, architecture: str, timm_name: str, num_classes: int) -> None:
        import timm  # a second to import, so only where a timm network is built

        super().__init__()
        self.architecture = architecture
        self.net = timm.create_model(timm_name, pretrained=False, num_classes=num_classes)
        self.stage_names = tuple(item["module"] for item in self.net.feature_info)
        last = self.net.get_classifier()
        self.head_name = next(name for name, module in self.named_modules() if module is last)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`; the last stage is the map that enters the pooling."""
        final, stages = self.net.forward_intermediates(images, output_fmt="NCHW")
        # timm's own last one has no path to the logits: the final norm comes after it.
        return (*stages[:-1], final)

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.net.forward_head(last)


class TimmSwin(TimmClassifier):
    """A Swin transformer of timm, whose own stages are copies that the logits do not depend on."""

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`; the last stage is normalised, as the pooling gets it."""
        x, stages = self.net.patch_embed(images), []
        for layer in self.net.layers:
            # timm's are (B, h, w, C); through ours, so that a gradient at a stage is defined.
            stages.append(layer(x).permute(0, 3, 1, 2))
            x = stages[-1].permute(0, 2, 3, 1)
        return (*stages[:-1], self.net.norm(x).permute(0, 3, 1, 2))

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.net.forward_head(last.permute(0, 2, 3, 1))


class ChannelSpatialAttention(nn.Module):
    """CBAM (Woo et al. 2018, section 3): channel attention, then spatial attention."""

    def __init__(self, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // reduction, channels, 1, bias=False),
        )
        self.spatial = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (B, C, h, w) gated by both attentions."""
        pooled = self.channel(x.mean((2, 3), keepdim=True))
        peaked = self.channel(x.amax((2, 3), keepdim=True))
        x = x * torch.sigmoid(pooled + peaked)
        summary = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.spatial(summary))


class ResNetCBAM(TorchvisionResNet):
    """torchvision's ResNet-50 with CBAM before the residual sum of every block."""

    def __init__(self, num_classes: int) -> None:
        super().__init__("resnet50", num_classes)
        self.architecture = "resnet50_cbam"
        for name in self.stage_names:
            for block in getattr(self.net, name):
                # bn3 closes the residual branch; what follows it gates the branch alone.
                block.bn3 = nn.Sequential(
                    block.bn3, ChannelSpatialAttention(block.bn3.num_features)
                )


class TwoConvNet(Classifier):
    """The notebook's student: two convolutions (16, 32), 256 hidden; any input size."""

    stage_names = ("conv1", "conv2")

    def __init__(self, num_classes: int, grid: int = 8) -> None:
        super().__init__()
        self.architecture = "cnn2"
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(grid)  # 8 x 8 is what 32 x 32 inputs leave by themselves
        self.hidden = nn.Linear(32 * grid * grid, 256)
        self.fc = nn.Linear(256, num_classes)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        first = nn.functional.max_pool2d(torch.relu(self.conv1(images)), 2)
        second = nn.functional.max_pool2d(torch.relu(self.conv2(first)), 2)
        return first, second

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.fc(torch.relu(self.hidden(torch.flatten(self.pool(last), 1))))


class _CifarBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        # Option A of He et al.: subsample and pad with zero channels, no parameters.
        shortcut = x[:, :, :: self.stride, :: self.stride]
        shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, 0, self.extra))
        return torch.relu(y + shortcut)


class CifarResNet(Classifier):
    """The CIFAR ResNet of He et al. 2016, section 4.2, with 6n+2 layers."""

    stage_names = ("layer1", "layer2", "layer3")

    def __init__(self, architecture: str, depth: int, num_classes: int) -> None:
        super().__init__()
        self.architecture = architecture
        blocks = (depth - 2) // 6
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
        inputs = 16
        for index, width in enumerate((16, 32, 64)):
            layers = []
            for block in range(blocks):
                layers.append(_CifarBlock(inputs, width, 2 if index and not block else 1))
                inputs = width
            setattr(self, f"layer{index + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(64, num_classes)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        first = self.layer1(self.stem(images))
        second = self.layer2(first)
        return first, second, self.layer3(second)

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.fc(last.mean((2, 3)))
