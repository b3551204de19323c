"""Writes fixtures/pictures: picture files as people have them, with checksums of what PIL
decodes them to. It needs cjpeg (libjpeg-turbo-progs) as well as PIL and NumPy.
"""

import io
import json
import pathlib
import struct
import subprocess
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

from patterns import crc, pattern

out = pathlib.Path(__file__).parent.parent / "fixtures" / "pictures"
out.mkdir(parents=True, exist_ok=True)

files = []
WHITE, BLUE = (255, 255, 255), (10, 20, 200)


def add(name, content, near=0):
    """near is how far a pixel may differ from PIL's if the format lets decoders choose how to round."""
    (out / name).write_bytes(content)
    m = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    entry = {"name": name, "size": list(m.size), "near": near}
    rgba = m.convert("RGBA")
    colours, alpha = rgba.convert("RGB"), rgba.getchannel("A")
    if m.mode == "CMYK":
        colours = m.convert("RGB")
    entry["crc"] = crc(colours)
    if alpha.getextrema() != (255, 255):
        entry["alpha"] = crc(alpha)
        for key, background in (("white", WHITE), ("blue", BLUE)):
            flat = Image.new("RGB", m.size, background)
            flat.paste(colours, mask=alpha)
            entry[key] = crc(flat)
    if near:
        colours.save(out / ("pil-" + name + ".png"), optimize=True)
    files.append(entry)


def saved(image, format, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    return b.getvalue()


def cjpeg(image, *flags):
    return subprocess.run(["cjpeg", "-quality", "92", *flags], input=saved(image, "PPM"), stdout=subprocess.PIPE, check=True).stdout


rgb = pattern(31, 22, 3)
smooth = Image.fromarray(np.array(pattern(24, 18, 3, False)) // 2 + 60).resize((47, 35), Image.BICUBIC)

# JPEGs with every kind of sampling. What Go's decoder reads is close to PIL's. The rest equals PIL's.
for sample in ("2x2,1x1,2x1", "2x2,2x1,1x2", "1x1,2x2,2x2", "1x1,2x1,1x2", "4x2,1x1,1x1", "1x4,1x1,1x1", "3x1,1x1,1x1", "3x2,1x1,1x1", "2x4,1x1,1x1", "1x3,1x1,1x1", "4x1,2x1,1x1", "2x2,1x2,1x2"):
    name = "jpeg-" + sample.replace(",", "-")
    add(name + ".jpg", cjpeg(smooth, "-sample", sample), 3 if sample in ("4x2,1x1,1x1", "2x2,1x2,1x2") else 0)
add("jpeg-progressive-odd.jpg", cjpeg(smooth, "-sample", "2x2,1x1,2x1", "-progressive"))
add("jpeg-restart-odd.jpg", cjpeg(smooth, "-sample", "2x2,1x1,1x2", "-restart", "2B"))
add("jpeg-rgb-odd.jpg", cjpeg(smooth, "-rgb", "-sample", "1x1,2x2,1x1"))
add("jpeg-grey-2x2.jpg", cjpeg(smooth.convert("L"), "-sample", "2x2"), 3)
add("jpeg-small-odd.jpg", cjpeg(smooth.crop((0, 0, 3, 2)), "-sample", "2x2,2x1,1x2"))
for name, extra in (("arithmetic", ["-arithmetic"]),):
    (out / f"jpeg-{name}.jpg").write_bytes(cjpeg(smooth, *extra))

# CMYK and YCCK.
cmyk = saved(smooth.convert("CMYK"), "JPEG", quality=92)
at = cmyk.index(b"Adobe") - 4
length = struct.unpack(">H", cmyk[at + 2 : at + 4])[0]
add("jpeg-cmyk-without-adobe.jpg", cmyk[:at] + cmyk[at + 2 + length :])
add("jpeg-cmyk-subsampled.jpg", saved(smooth.convert("CMYK"), "JPEG", quality=92, subsampling=2))
ycck = cmyk[: at + 15] + b"\x02" + cmyk[at + 16 :]
add("jpeg-ycck.jpg", ycck, 3)
# libjpeg takes the highest sampling of all planes; 2x1 for black as for luma.
sub = saved(smooth.convert("CMYK"), "JPEG", quality=92, subsampling=1)
at = sub.index(b"Adobe") - 4
add("jpeg-ycck-subsampled.jpg", sub[: at + 15] + b"\x02" + sub[at + 16 :])

# PNG, TIFF, BMP.
alpha = Image.merge("RGBA", (*rgb.split(), pattern(31, 22, 1)))
add("alpha.png", saved(alpha, "PNG"))
add("grey-alpha.png", saved(alpha.convert("LA"), "PNG"))
add("palette-transparent.png", saved(rgb.quantize(40), "PNG", transparency=3))
add("palette-alpha.png", saved(alpha.quantize(40), "PNG"))
add("rgb-transparent.png", saved(rgb, "PNG", transparency=rgb.getpixel((4, 5))))
add("grey-transparent.png", saved(rgb.convert("L"), "PNG", transparency=rgb.convert("L").getpixel((4, 5))))
add("opaque-rgba.png", saved(rgb.convert("RGBA"), "PNG"))
add("transparent.gif", saved(rgb.quantize(40), "GIF", transparency=3))
add("lossless-alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True))
add("rgb.bmp", saved(rgb, "BMP"))
add("palette.bmp", saved(rgb.quantize(40), "BMP"))
add("rgb.tif", saved(rgb, "TIFF"))
add("rgb-lzw.tif", saved(rgb, "TIFF", compression="tiff_lzw"))
add("alpha-deflate.tif", saved(alpha, "TIFF", compression="tiff_adobe_deflate"))
add("grey.tif", saved(rgb.convert("L"), "TIFF"))

# Animations: a first frame of the full size, and one that covers only part of it.
frames = [alpha, rgb.convert("RGBA").rotate(90)]
add("animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True, duration=80))
add("animated-opaque.webp", saved(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(180)], lossless=True, duration=80))
small = Image.new("RGBA", (40, 30))
small.paste(rgb, (6, 4))
add("animated-part.webp", saved(small, "WEBP", save_all=True, append_images=[small.rotate(90)], lossless=True, duration=80))
add("animated-lossy.webp", saved(smooth, "WEBP", save_all=True, append_images=[smooth.rotate(180)], quality=90, duration=80), 3)

# Orientations: EXIF as LONG and as SHORT in both byte orders, XMP as attribute and element.
turned = pattern(5, 3, 3)
plain = saved(turned, "PNG")
after_header = 8 + 25


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind, data):
    return plain[:after_header] + png_chunk(kind, data) + plain[after_header:]


def exif(order, kind, value):
    e = "<" if order == b"II" else ">"
    field = struct.pack(e + "I", value) if kind == 4 else struct.pack(e + "HH", value, 0)
    return order + struct.pack(e + "HIH", 42, 8, 1) + struct.pack(e + "HHI", 0x0112, kind, 1) + field + struct.pack(e + "I", 0)


for order in (b"II", b"MM"):
    for kind, word in ((3, "short"), (4, "long")):
        add(f"exif-{order.decode().lower()}-{word}.png", png_with(b"eXIf", exif(order, kind, 6)))
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" %s</rdf:Description></rdf:RDF></x:xmpmeta>'
attribute, element = XMP % 'tiff:Orientation="8">', XMP % "><tiff:Orientation>5</tiff:Orientation>"
add("xmp-attribute.png", png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + attribute.encode()))
add("xmp-packed.png", png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(element.encode())))
raw = exif(b"MM", 3, 3)
digits = "\nexif\n%8d\n%s\n" % (len(raw) + 6, (b"Exif\0\0" + raw).hex())
add("exif-raw-profile.png", png_with(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(digits.encode())))


def jpeg_with(payload):
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + cjpeg(smooth)[2:]


add("xmp-element.jpg", jpeg_with(b"http://ns.adobe.com/xap/1.0/\0" + element.encode()), 3)
add("exif-long.jpg", jpeg_with(b"Exif\0\0" + exif(b"MM", 4, 7)), 3)
# EXIF takes precedence over XMP.
both = jpeg_with(b"Exif\0\0" + exif(b"II", 3, 6))
xmp = b"http://ns.adobe.com/xap/1.0/\0" + element.encode()
add("exif-and-xmp.jpg", both[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + both[2:], 3)
add("xmp.webp", saved(turned, "WEBP", lossless=True, xmp=element.encode()))
add("exif-long.webp", saved(turned, "WEBP", lossless=True, exif=b"Exif\0\0" + exif(b"II", 4, 8)))
add("orientation.tif", saved(turned, "TIFF", tiffinfo={0x0112: 6}))

# Formats that are recognized but not read here.
(out / "rgb.avif").write_bytes(saved(rgb, "AVIF"))
(out / "rgb.jp2").write_bytes(saved(rgb, "JPEG2000"))

(out / "pictures.json").write_text(json.dumps({"pillow": PIL.__version__, "files": files}, separators=(",", ":")))
print(len(files), "files,", sum(f.stat().st_size for f in out.iterdir()), "bytes")
