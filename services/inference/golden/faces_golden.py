#!/usr/bin/python3
"""Golden values of face detection: what numpy makes of the networks' raw outputs, written apart from
the service's own reading of them.

Works on a folder that has view.json ({"net", "width", "height"}) and view.rgb (height x width x 3 bytes):

    python3 faces_golden.py input FOLDER    writes the network's input to input.f32
    python3 faces_golden.py faces FOLDER    reads its outputs from NAME.f32, prints the faces as JSON

All .f32 files are little-endian 32-bit floats, row by row. faces_golden.ts runs it.
"""

import json
import sys
from pathlib import Path

import numpy as np


class Yunet:
    """As the detector of its authors' training code reads it, with the threshold that they publish."""

    min_confidence = 0.6
    max_iou = 0.3
    side = 640

    def input(self, view):
        frame = np.zeros((self.side, self.side, 3), np.float32)
        frame[: view.shape[0], : view.shape[1]] = view
        return frame[:, :, ::-1].transpose(2, 0, 1)  # BGR

    def candidates(self, output):
        found = []
        for stride in (8, 16, 32):
            cells = self.side // stride
            rows, columns = np.indices((cells, cells)).reshape(2, -1)
            priors = np.stack([columns, rows], axis=1)
            scores = output(f"cls_{stride}").clip(0, 1) * output(f"obj_{stride}").clip(0, 1)
            deltas = output(f"bbox_{stride}").reshape(-1, 4)
            centres = (priors + deltas[:, :2]) * stride
            sizes = np.exp(deltas[:, 2:]) * stride
            points = (priors[:, None] + output(f"kps_{stride}").reshape(-1, 5, 2)) * stride
            boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
            found.append((boxes, np.sqrt(scores), points))
        return [np.concatenate(part) for part in zip(*found)]


class Ultraface:
    """RFB-320: its outputs are corners already, as parts of the frame's width and height."""

    min_confidence = 0.65
    max_iou = 0.4
    width, height = 320, 240

    def input(self, view):
        frame = np.full((self.height, self.width, 3), 127, np.float32)
        frame[: view.shape[0], : view.shape[1]] = view
        return ((frame - 127) / 128).transpose(2, 0, 1)

    def candidates(self, output):
        boxes = output("boxes").reshape(-1, 4) * (self.width, self.height, self.width, self.height)
        return [boxes, output("scores").reshape(-1, 2)[:, 1], None]


NETS = {"yunet": Yunet(), "ultraface": Ultraface()}


def intersection_over_union(boxes):
    """All with all; boxes are [n, 4], left, top, right, bottom."""
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (opposite - corner).clip(0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return shared / (areas[:, None] + areas[None, :] - shared)


def suppress(boxes, scores, max_iou):
    """Greedy non-maximum suppression; indices of what stays, best first."""
    order = np.argsort(-scores, kind="stable")
    ious = intersection_over_union(boxes[order])
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ious[i, i + 1 :] <= max_iou
    return order[alive]


def faces(net, output):
    boxes, scores, points = net.candidates(output)
    sure = np.flatnonzero(scores >= net.min_confidence)
    for i in sure[suppress(boxes[sure], scores[sure], net.max_iou)]:
        left, top, right, bottom = boxes[i]
        yield {
            "bbox": dict(x=left, y=top, width=right - left, height=bottom - top),
            "landmarks": None if points is None else points[i].tolist(),
            "confidence": scores[i],
        }


def main(step, folder):
    view = json.loads((folder / "view.json").read_text())
    net = NETS[view["net"]]
    if step == "input":
        pixels = np.fromfile(folder / "view.rgb", np.uint8)
        tensor = net.input(pixels.reshape(view["height"], view["width"], 3))
        tensor.astype("<f4").tofile(folder / "input.f32")
    else:

        def output(name):
            return np.fromfile(folder / f"{name}.f32", "<f4").astype(np.float64)

        json.dump(list(faces(net, output)), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
