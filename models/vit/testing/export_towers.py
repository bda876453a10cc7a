#!/usr/bin/python3
"""Small image towers as torch exports them, with torch's own outputs, for tests that have no torch.

Run it with Debian's python3-torch (1.13), with another folder as argument to write there:

    python3 models/vit/testing/export_towers.py && deno fmt models/vit/testing/towers

It writes towers/NAME.onnx for each name in TOWERS below, and towers/golden.json: for each tower its
shape and the embeddings of the pictures of `pictures`. The same torch writes the same bytes.
"""

import json
import math
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


ACTIVATIONS = {"quick_gelu": QuickGELU, "gelu": nn.GELU}


class SeparateAttention(nn.Module):
    """Query, key and value each with a layer of its own, heads folded into the batch (Hugging Face)."""

    def __init__(self, width, heads, scaling):
        super().__init__()
        self.heads = heads
        self.scaling = scaling
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def split(self, x, batch, tokens):
        return x.view(batch, tokens, self.heads, x.shape[-1] // self.heads).transpose(1, 2).contiguous()

    def forward(self, x):
        batch, tokens, width = x.size()
        head_width = width // self.heads
        folded = (batch * self.heads, -1, head_width)
        scale = head_width**-0.5
        query, key, value = self.query(x), self.key(x), self.value(x)
        if self.scaling == "query":
            query = query * scale
        if self.scaling == "both":  # as scaled_dot_product_attention is exported, from shapes
            root = torch.sqrt(1 / (query.new_ones(()) * head_width**0.5))
            query, key = query * root, key * root
        query = self.split(query, batch, tokens)
        key = self.split(key, batch, -1)
        value = self.split(value, batch, -1)
        if self.scaling == "query":
            query, key, value = query.view(*folded), key.view(*folded), value.view(*folded)
        scores = torch.matmul(query, key.transpose(-1, -2))
        if self.scaling == "scores":
            scores = scores / math.sqrt(head_width)
        mixed = torch.matmul(torch.softmax(scores, dim=-1), value)
        mixed = mixed.view(batch, self.heads, tokens, head_width).transpose(1, 2)
        return self.output(mixed.reshape(batch, tokens, width))


class SeparateBlock(nn.Module):
    def __init__(self, width, heads, mlp, activation, scaling):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SeparateAttention(width, heads, scaling)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, mlp)
        self.activation = ACTIVATIONS[activation]()
        self.down = nn.Linear(mlp, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(self.activation(self.up(self.norm2(x))))


class HuggingFaceTower(nn.Module):
    """The structure of transformers' CLIPVisionModelWithProjection."""

    def __init__(self, image, patch, width, heads, layers, mlp, embedding, activation, **options):
        super().__init__()
        tokens = (image // patch) ** 2 + 1
        self.hidden = options.get("hidden", False)
        self.class_token = nn.Parameter(torch.zeros(width))
        self.patches = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.positions = nn.Embedding(tokens, width)
        self.register_buffer("position_ids", torch.arange(tokens).expand((1, -1)))
        self.norm_before = nn.LayerNorm(width)
        scaling = options.get("scaling", "query")
        self.blocks = nn.ModuleList(
            SeparateBlock(width, heads, mlp, activation, scaling) for _ in range(layers)
        )
        self.norm_after = nn.LayerNorm(width)
        self.projection = nn.Linear(width, embedding, bias=False)

    def forward(self, pictures):
        batch = pictures.shape[0]
        patches = self.patches(pictures).flatten(2).transpose(1, 2)
        class_token = self.class_token.expand(batch, 1, -1)
        x = torch.cat([class_token, patches], dim=1)
        x = self.norm_before(x + self.positions(self.position_ids))
        for block in self.blocks:
            x = block(x)
        embedding = self.projection(self.norm_after(x[:, 0, :]))
        return (embedding, x) if self.hidden else embedding


class FusedBlock(nn.Module):
    def __init__(self, width, heads, mlp, activation):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        layers = [nn.Linear(width, mlp), ACTIVATIONS[activation](), nn.Linear(mlp, width)]
        self.mlp = nn.Sequential(*layers)

    def forward(self, x):
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class OpenAITower(nn.Module):
    """The structure of CLIP as it was published: torch's own attention, tokens before the batch."""

    def __init__(self, image, patch, width, heads, layers, mlp, embedding, activation, **_):
        super().__init__()
        tokens = (image // patch) ** 2 + 1
        self.patches = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_token = nn.Parameter(torch.zeros(width))
        self.positions = nn.Parameter(torch.zeros(tokens, width))
        self.norm_before = nn.LayerNorm(width)
        self.blocks = nn.Sequential(
            *(FusedBlock(width, heads, mlp, activation) for _ in range(layers))
        )
        self.norm_after = nn.LayerNorm(width)
        self.projection = nn.Parameter(torch.zeros(width, embedding))

    def forward(self, pictures):
        x = self.patches(pictures)
        x = x.reshape(x.shape[0], x.shape[1], -1).permute(0, 2, 1)
        none = torch.zeros(x.shape[0], 1, x.shape[-1], dtype=x.dtype)
        x = torch.cat([self.class_token.to(x.dtype) + none, x], dim=1)
        x = self.norm_before(x + self.positions.to(x.dtype))
        x = self.blocks(x.permute(1, 0, 2)).permute(1, 0, 2)
        return self.norm_after(x[:, 0, :]) @ self.projection


SIZES = dict(image=12, patch=4, width=16, heads=2, layers=2, mlp=40, embedding=12)
THREE_HEADS = dict(image=10, patch=5, width=24, heads=3, layers=3, mlp=32, embedding=8)
ONE_HEAD = dict(image=9, patch=3, width=16, heads=1, layers=1, mlp=24, embedding=20)
QUICK = dict(activation="quick_gelu")
GELU = dict(activation="gelu")

# name: structure, sizes and activation, opset, constant folding, dimensions left open
TOWERS = {
    "separate_11_folded": (HuggingFaceTower, SIZES | QUICK, 11, True, "batch"),
    "separate_11_unfolded_open": (HuggingFaceTower, SIZES | QUICK, 11, False, "all"),
    "separate_13_folded_gelu": (HuggingFaceTower, SIZES | GELU, 13, True, "batch"),
    "separate_14_folded_open": (HuggingFaceTower, THREE_HEADS | QUICK, 14, True, "all"),
    "separate_14_unfolded_fixed": (HuggingFaceTower, SIZES | GELU, 14, False, "none"),
    "separate_16_folded_one": (HuggingFaceTower, ONE_HEAD | QUICK, 16, True, "one"),
    "separate_16_scores": (HuggingFaceTower, SIZES | QUICK | dict(scaling="scores"), 16, False, "batch"),
    "separate_17_both_hidden": (
        HuggingFaceTower, SIZES | GELU | dict(scaling="both", hidden=True), 17, True, "batch"),
    "separate_17_unfolded": (HuggingFaceTower, THREE_HEADS | QUICK, 17, False, "batch"),
    "fused_11_unfolded": (OpenAITower, SIZES | QUICK, 11, False, "batch"),
    "fused_13_folded_gelu": (OpenAITower, THREE_HEADS | GELU, 13, True, "batch"),
    "fused_14_folded_fixed": (OpenAITower, SIZES | QUICK, 14, True, "none"),
    "fused_16_unfolded_open": (OpenAITower, ONE_HEAD | GELU, 16, False, "all"),
    "fused_17_folded": (OpenAITower, SIZES | QUICK, 17, True, "batch"),
}  # fmt: skip

OPEN = {
    "none": {},
    "one": {},
    "batch": {0: "batch"},
    "all": {0: "batch", 1: "channels", 2: "height", 3: "width"},
}


def pictures(batch, side):
    """Pixel i of picture 0, then picture 1: a saw tooth, exact in float32."""
    count = batch * 3 * side * side
    return ((torch.arange(count) * 37) % 101 / 64 - 0.75).reshape(batch, 3, side, side)


def seed_weights(tower, seed):
    """No two alike, and large enough that every part of the tower tells in what comes out."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in tower.named_parameters():
        drawn = torch.randn(weight.shape, generator=generator)
        if "norm" in name:
            weight.data = drawn * 0.2 + (1 if name.endswith("weight") else 0)
        elif name.endswith("projection"):
            weight.data = drawn / math.sqrt(weight.shape[0])
        elif weight.dim() > 1 and "positions" not in name:
            weight.data = drawn * 1.5 / math.sqrt(weight[0].numel())
        else:
            weight.data = drawn * 0.5


def export(name, seed, folder):
    structure, shape, opset, folding, left_open = TOWERS[name]
    tower = structure(**shape).eval()
    seed_weights(tower, seed)
    seen = pictures(1 if left_open == "one" else 2, shape["image"])
    hidden = shape.get("hidden", False)
    axes = {"pixel_values": OPEN[left_open], "image_embeds": {0: "batch"}} if OPEN[left_open] else {}
    torch.onnx.export(
        tower,
        seen,
        str(folder / f"{name}.onnx"),
        input_names=["pixel_values"],
        output_names=["image_embeds"] + (["last_hidden_state"] if hidden else []),
        dynamic_axes=axes,
        opset_version=opset,
        do_constant_folding=folding,
    )
    with torch.no_grad():
        embeddings = tower(seen)
    embeddings = embeddings[0] if hidden else embeddings
    sizes = {key: shape[key] for key in SIZES} | {"activation": shape["activation"]}
    return {"shape": sizes, "embeddings": [[round(x, 7) for x in row] for row in embeddings.tolist()]}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "towers"
    folder.mkdir(exist_ok=True)
    warnings.filterwarnings("ignore")  # that a trace fixes what Python decides is what is wanted here
    torch.set_num_threads(1)
    golden = {name: export(name, seed, folder) for seed, name in enumerate(TOWERS)}
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
