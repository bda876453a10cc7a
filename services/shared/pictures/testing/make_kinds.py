#!/usr/bin/python3
"""Writes one picture in every kind of file that Debian's tools can make, and what Pillow sees in it.

    /usr/bin/python3 make_kinds.py FOLDER

Needs Debian's python3-pil, imagemagick, libheif-examples, libavif-bin, libjxl-tools, webp and
libtiff-tools. FOLDER/kinds.json lists the files: what each is called, how large it is as a viewer
shows it, and the colours in the middles of its four quarters. FOLDER/*.seen.png is what was seen. What
Pillow can't read (HEIF, JPEG XL) it gets from another tool than the services use where there is one.
"""

import json
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFile, ImageOps

OUT = Path(sys.argv[1])
SIZE = (96, 64)
EXIF_ORIENTATION = 0x0112


def quarters(colours=((200, 30, 30), (30, 160, 40), (20, 40, 200), (240, 240, 240))) -> Image.Image:
    """Four quarters, which no turn or mirroring leaves as they are."""
    width, height = SIZE
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for i, colour in enumerate(colours):
        x, y = i % 2 * width // 2, i // 2 * height // 2
        draw.rectangle((x, y, x + width // 2 - 1, y + height // 2 - 1), fill=colour)
    return picture


def run(*command) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=OUT,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def orientation(number: int) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = number
    return exif.tobytes()


def palette(picture: Image.Image) -> Image.Image:
    """Of its own colours: dots of others would be smeared by a thumbnail."""
    return picture.quantize(16, dither=Image.Dither.NONE)


def write(name: str, data: bytes) -> None:
    (OUT / name).write_bytes(data)


def by_pillow(picture: Image.Image) -> None:
    def save(name: str, mode: str = "RGB", **options) -> None:
        (palette(picture) if mode == "P" else picture.convert(mode)).save(OUT / name, **options)

    save("plain.png")
    save("palette.png", "P")
    save("grey.png", "L")
    save("interlaced.gif", "P", interlace=1)
    save("baseline.jpg", quality=95)
    save("progressive.jpg", quality=95, progressive=True)
    save("unsampled.jpg", quality=95, subsampling=0)
    save("grey.jpg", "L", quality=95)
    save("cmyk.jpg", "CMYK", quality=95)
    save("lossless.webp", lossless=True)
    save("lossy.webp", quality=95)
    save("plain.bmp")
    save("palette.bmp", "P")
    save("plain.ico", sizes=[SIZE], bitmap_format="bmp")
    save("plain.jp2")
    save("codestream.j2k", no_jp2=True)
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        save(f"{compression}.tif", compression=compression)
    save("grey.tif", "L")
    save("palette.tif", "P")
    save("cmyk.tif", "CMYK")
    faded = picture.convert("RGBA")
    faded.putalpha(Image.new("L", SIZE, 128))
    faded.save(OUT / "half_transparent.png")
    faded.save(OUT / "half_transparent.webp", lossless=True)
    faded.save(OUT / "half_transparent.tif")
    small = picture.resize((48, 32), Image.NEAREST).convert("RGB")
    picture.save(OUT / "pages.tif", save_all=True, append_images=[small])
    palette(picture).save(OUT / "animated.gif", save_all=True,
                              append_images=[palette(ImageOps.invert(picture))])
    picture.save(OUT / "animated.webp", save_all=True, lossless=True,
                 append_images=[ImageOps.invert(picture)])
    picture.save(OUT / "animated.png", save_all=True, append_images=[ImageOps.invert(picture)])
    for number in range(1, 9):
        exif = orientation(number)
        save(f"turned_{number}.jpg", quality=95, exif=exif)
        save(f"turned_{number}.png", exif=exif)
        save(f"turned_{number}.webp", lossless=True, exif=exif)
        save(f"turned_{number}.tif", tiffinfo={EXIF_ORIENTATION: number})


def by_bytes(picture: Image.Image) -> None:
    """What no encoder writes, and cameras, scanners and old programs did."""
    jpeg, png = (OUT / "baseline.jpg").read_bytes(), (OUT / "plain.png").read_bytes()
    write("no_end.jpg", jpeg[:-2])
    write("zeros_for_end.jpg", jpeg[:-2] + b"\0\0")
    write("no_end.png", png[:-12])
    write("stray_bytes.jpg", jpeg[:20] + b"stray" + jpeg[20:])
    segment = b"http://ns.adobe.com/xmp/extension/\0" + b"J" * 65498
    write("much_metadata.jpg", jpeg[:2] + (b"\xff\xe1\xff\xff" + segment) * 40 + jpeg[2:])

    def with_exif(tiff: bytes) -> bytes:
        block = b"Exif\0\0" + tiff
        return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]

    entry = struct.pack("<HHHIHHI", 1, EXIF_ORIENTATION, 3, 1, 6, 0, 0)
    for pad in (10, 16, 22):
        block = b"II*\0" + struct.pack("<I", 8 + pad) + b" " * pad + entry
        write(f"exif_at_{8 + pad}.jpg", with_exif(block))
    write("exif_cut.jpg", with_exif(b"MM\0*\0\0\0\x08"))

    width, height = SIZE
    rows = b"".join(picture.crop((0, y, width, y + 1)).convert("RGB").tobytes("raw", "BGR")
                    for y in reversed(range(height)))
    write("os2.bmp", b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) +
          struct.pack("<IHHHH", 12, width, height, 1, 24) + rows)

    gif = BytesIO()
    palette(picture).save(gif, "GIF")
    small_screen = bytearray(gif.getvalue())
    small_screen[6:10] = struct.pack("<HH", 10, 10)
    write("frame_larger_than_screen.gif", bytes(small_screen))

    for bits in (2, 4):
        for white_is_zero in (True, False):
            write(f"grey_{bits}_{'white' if white_is_zero else 'black'}_is_zero.tif",
                  few_bits(picture, bits, white_is_zero))


def few_bits(picture: Image.Image, bits: int, white_is_zero: bool) -> bytes:
    """A grey TIFF of few bits a sample, which Pillow doesn't write."""
    most = (1 << bits) - 1
    packed = 0
    for value in picture.convert("L").tobytes():
        level = value * most // 255
        packed = packed << bits | (most - level if white_is_zero else level)
    width, height = SIZE
    data = packed.to_bytes(width * height * bits // 8, "big")
    tags = ((256, width), (257, height), (258, bits), (259, 1), (262, 0 if white_is_zero else 1),
            (273, 8), (277, 1), (278, height), (279, len(data)))
    return (b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) +
            b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) +
            struct.pack("<I", 0))


def by_tools() -> None:
    run("tiffcp", "-p", "separate", "raw.tif", "planes.tif")
    run("tiffcp", "-p", "separate", "-c", "lzw", "half_transparent.tif", "planes_transparent.tif")
    run("tiffcp", "-t", "-w", "32", "-l", "32", "raw.tif", "tiles.tif")
    run("tiffcp", "-B", "raw.tif", "big_endian.tif")
    run("convert", "plain.png", "-depth", "16", "deep.png")
    run("convert", "plain.png", "plain.psd")
    run("convert", "plain.png", "-colorspace", "CMYK", "cmyk.psd")
    run("convert", "plain.png", "(", "+clone", "-resize", "16x16!", ")", "-reverse", "icons.ico")
    run("heif-enc", "-L", "plain.png", "-o", "plain.heic")
    run("avifenc", "-s", "9", "--lossless", "plain.png", "plain.avif")
    for number in (3, 6, 8):
        run("avifenc", "-s", "9", "--min", "5", "--max", "10", f"turned_{number}.jpg",
            f"turned_{number}.avif")
        run("cjxl", "-d", "0", f"turned_{number}.png", f"turned_{number}.jxl")
    run("cjxl", "-d", "0", "plain.png", "plain.jxl")
    run("cjxl", "baseline.jpg", "from_jpeg.jxl")
    # Turned, mirrored and cropped by the container, without a word of it in EXIF.
    for angle in (1, 2, 3):
        run("avifenc", "-s", "9", "--lossless", "--irot", str(angle), "plain.png",
            f"container_turned_{angle}.avif")
    for axis in (0, 1):
        run("avifenc", "-s", "9", "--lossless", "--imir", str(axis), "plain.png",
            f"container_mirrored_{axis}.avif")
    run("avifenc", "-s", "9", "--lossless", "--irot", "1", "--imir", "1", "plain.png",
        "container_turned_mirrored.avif")
    run("avifenc", "-s", "9", "--lossless", "--crop", "16,8,64,48", "plain.png",
        "container_cropped.avif")
    # A crop is made before a turn: the other way round another part of the picture would be left.
    run("avifenc", "-s", "9", "--lossless", "--crop", "8,8,64,40", "--irot", "1", "plain.png",
        "container_cropped_turned.avif")
    # Of tiles, as phones write large pictures.
    run("convert", "plain.png", "-sample", "192x128!", "large.png")
    run("avifenc", "-s", "9", "--lossless", "--grid", "3x2", "large.png", "container_tiles.avif")
    run("convert", "plain.png", "-resize", "95x63!", "odd.png")
    run("heif-enc", "-L", "odd.png", "-o", "container_cropped.heic")
    # A brand in front that only its maker knows.
    heic = (OUT / "plain.heic").read_bytes()
    write("unknown_brand.heic", heic[:8] + b"zzzz" + heic[12:])


# What undoes each of EXIF's orientations.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def seen(path: Path) -> Image.Image:
    """As displayed: upright, over white."""
    if path.suffix in (".heic", ".avif"):
        # That tool goes by the brand in front.
        run("heif-convert", path.name.replace("unknown_brand", "plain"), "converted.png")
        picture = Image.open(OUT / "converted.png")
    elif path.suffix == ".jxl":
        run("djxl", path.name, "converted.png")
        picture = Image.open(OUT / "converted.png")
    else:
        picture = Image.open(path)
    # The other tools have turned it already, and so does Pillow itself with a TIFF.
    turn = None if path.suffix in (".heic", ".avif", ".jxl", ".tif") else \
        TURNS.get(picture.getexif().get(EXIF_ORIENTATION))
    # As viewers do, which ask for no end where every pixel is there.
    ImageFile.LOAD_TRUNCATED_IMAGES = path.stem in ("no_end", "zeros_for_end")
    picture.load()
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.mode in ("RGBA", "LA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def describe(path: Path) -> dict:
    picture = seen(path)
    picture.save(OUT / f"{path.name}.seen.png")
    width, height = picture.size
    middles = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return {
        "file": path.name,
        "size": picture.size,
        "colours": [picture.getpixel(middle) for middle in middles],
    }


def main() -> None:
    picture = quarters()
    by_pillow(picture)
    by_bytes(picture)
    by_tools()
    kinds = [describe(path) for path in sorted(OUT.iterdir())]
    (OUT / "kinds.json").write_text(json.dumps(kinds))


main()
