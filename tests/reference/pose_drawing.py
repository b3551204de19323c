"""Poses as OpenPose draws them, for model/imageproc/pose.

    python tests/reference/pose_drawing.py     writes tests/fixtures/pose/drawings.json

The drawing is draw_bodypose of controlnet_aux (open_pose/util.py), with OpenCV 5.0. Its joints come from COCO's, as MoveNet gives them, with
the neck in the middle of the shoulders. Each case stores how many pixels differ if the joints are moved down by two
pixels. The pictures have to be equal to the pixel, so any number is enough.
"""
import base64
import json
import math
import pathlib

import cv2
import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "fixtures/pose/drawings.json"
BODY = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]  # OpenPose's joints by COCO's; None is the neck
LIMBS = [[2, 3], [2, 6], [3, 4], [4, 5], [6, 7], [7, 8], [2, 9], [9, 10], [10, 11], [2, 12], [12, 13], [13, 14], [2, 1], [1, 15], [15, 17], [1, 16], [16, 18]]
COLOURS = [[255, 0, 0], [255, 85, 0], [255, 170, 0], [255, 255, 0], [170, 255, 0], [85, 255, 0], [0, 255, 0], [0, 255, 85], [0, 255, 170], [0, 255, 255], [0, 170, 255],
           [0, 85, 255], [0, 0, 255], [85, 0, 255], [170, 0, 255], [255, 0, 255], [255, 0, 170], [255, 0, 85]]
LEAST = 0.2


def bodypose(joints, width, height):
    """draw_bodypose, of one person whose joints are (y, x, score)."""
    known = [j if j[2] >= LEAST else None for j in joints]
    neck = None
    if known[5] and known[6]:
        neck = [(a + b) / 2 for a, b in zip(known[5], known[6])]
    points = [neck if k is None else known[k] for k in BODY]
    canvas = np.zeros((height, width, 3), np.uint8)
    for (a, b), colour in zip(LIMBS, COLOURS):
        p, q = points[a - 1], points[b - 1]
        if p is None or q is None:
            continue
        Y, X = np.array([p[1], q[1]]) * float(width), np.array([p[0], q[0]]) * float(height)
        length = ((X[0] - X[1]) ** 2 + (Y[0] - Y[1]) ** 2) ** 0.5
        angle = math.degrees(math.atan2(X[0] - X[1], Y[0] - Y[1]))
        polygon = cv2.ellipse2Poly((int(np.mean(Y)), int(np.mean(X))), (int(length / 2), 4), int(angle), 0, 360, 1)
        cv2.fillConvexPoly(canvas, polygon, colour)
    canvas = (canvas * 0.6).astype(np.uint8)
    for p, colour in zip(points, COLOURS):
        if p is not None:
            cv2.circle(canvas, (int(p[1] * width), int(p[0] * height)), 4, colour, thickness=-1)
    return canvas


def cases():
    random = np.random.RandomState(7)
    for width, height in [(192, 192), (320, 200), (96, 256)]:
        yield width, height, random.uniform(0.02, 0.98, (17, 3))
    standing = np.array([[.188, .492, .9], [.171, .513, .9], [.167, .478, .9], [.198, .534, .9], [.188, .457, .9], [.316, .577, .9], [.309, .426, .9], [.548, .697, .9],
                         [.45, .351, .9], [.463, .648, .1], [.449, .382, .9], [.548, .552, .9], [.547, .449, .9], [.8, .58, .9], [.786, .421, .9], [.978, .58, .9], [.966, .418, .9]])
    yield 512, 512, standing
    yield 128, 128, standing * [1.2, 1.4, 1]  # some of it is outside


def main():
    fixture = dict(least=LEAST, cases=[])
    for width, height, joints in cases():
        joints = np.round(joints, 4).tolist()
        picture = bodypose(joints, width, height)
        moved = [[y + 2 / height, x, score] for y, x, score in joints]
        moves = int((bodypose(moved, width, height) != picture).any(-1).sum())
        assert moves > 0
        png = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
        fixture["cases"].append(dict(width=width, height=height, joints=joints, moves=moves, png=base64.b64encode(png).decode()))
    OUT.write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
