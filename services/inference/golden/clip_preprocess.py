#!/usr/bin/python3
"""Golden values of CLIP's preprocessing: what Pillow, the library it was published with, makes of a picture.

Run it with Debian's python3-pil and python3-numpy (Pillow 9.4, numpy 1.24):

    python3 services/inference/golden/clip_preprocess.py

It writes the pictures that no folder has yet to clip/pictures, and what the network is to see of each
of them and of clients/images, 224 x 224 pixels before normalisation, to clip/expected.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = Path(__file__).parent
IMAGES = HERE.parents[2] / "clients" / "images"
PICTURES = HERE / "clip" / "pictures"
EXPECTED = HERE / "clip" / "expected"

SIDE = 224


def make_pictures() -> None:
    """Shapes and kinds that clients/images lacks, cut from what it has."""
    astronaut = Image.open(IMAGES / "astronaut.png").convert("RGB")
    coffee = Image.open(IMAGES / "coffee.png").convert("RGB")
    chelsea = Image.open(IMAGES / "chelsea.png").convert("RGB")
    camera = Image.open(IMAGES / "camera.png").convert("L")

    def save(name: str, picture: Image.Image, **options) -> None:
        picture.save(PICTURES / name, optimize=True, **options)

    save("portrait.png", astronaut.crop((150, 20, 297, 421)))
    save("panorama.png", coffee.crop((0, 170, 600, 245)))
    save("tiny.png", chelsea.resize((23, 17), Image.BOX))
    save("odd.png", chelsea.crop((40, 10, 265, 289)))
    save("sliver.png", astronaut.crop((220, 0, 228, 512)))
    save("grey_alpha.png", with_alpha(camera.crop((100, 60, 301, 223)), "LA"))
    save("faded.png", with_alpha(astronaut.crop((130, 30, 290, 231)), "RGBA"))
    palette = coffee.crop((150, 100, 450, 330)).quantize(64, dither=Image.Dither.NONE)
    save("palette.png", palette)
    turned = Image.Exif()
    turned[0x0112] = 6
    save("turned.jpg", astronaut.resize((301, 240)), quality=85, exif=turned)


def with_alpha(picture: Image.Image, mode: str) -> Image.Image:
    """Opaque on the left, gone on the right."""
    fading = np.linspace(255, 0, picture.width).round().astype(np.uint8)
    faded = picture.convert(mode)
    faded.putalpha(Image.fromarray(np.tile(fading, (picture.height, 1))))
    return faded


def as_displayed(picture: Image.Image) -> Image.Image:
    """Upright, over white, in sRGB."""
    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    if profile is not None:
        embedded = ImageCms.ImageCmsProfile(BytesIO(profile))
        picture = ImageCms.profileToProfile(picture, embedded, ImageCms.createProfile("sRGB"))
    return picture


def preprocess(picture: Image.Image) -> Image.Image:
    """torchvision's Resize(224, BICUBIC) and CenterCrop(224), as CLIP's authors call them."""
    width, height = picture.size
    short = min(width, height)
    scaled = (int(SIDE * width / short), int(SIDE * height / short))
    resized = picture.resize(scaled, Image.Resampling.BICUBIC)
    left = round((scaled[0] - SIDE) / 2)
    top = round((scaled[1] - SIDE) / 2)
    return resized.crop((left, top, left + SIDE, top + SIDE))


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    EXPECTED.mkdir(parents=True, exist_ok=True)
    make_pictures()
    suffixes = (".png", ".jpg")
    for path in sorted([*IMAGES.iterdir(), *PICTURES.iterdir()]):
        if path.suffix not in suffixes:
            continue
        with Image.open(path) as picture:
            seen = preprocess(as_displayed(picture))
        seen.save(EXPECTED / f"{path.stem}.png", optimize=True)
        print(f"{path.name}: {seen.size[0]} x {seen.size[1]}")


if __name__ == "__main__":
    main()
