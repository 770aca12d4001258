"""Figures of a finished run for print: at 300 dpi, drawn from the SVG when a format asks"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from cvlib.study.render.finished import library, results_of

DPI = 300
_HEAD = 33  # bytes of a PNG before its second chunk


def drawn(folder: Path, names: list[str], kind: str, wanted: str) -> list[bytes]:
    """Figures of a run folder as PNG or PDF, a page of its own size for each.

    Parameters
    ----------
    folder : Path
        A finished run's.
    names : list of str
        Of its figures.
    kind : str
        "png" or "pdf"; of a PDF every figure is asked for by itself.
    wanted : str
        The report format that asks.
    """
    # text is outlines in the SVG, so that no fonts are needed
    pages = "\n#pagebreak()\n".join(f'#image("figures/{name}.svg")' for name in names)
    source = folder / ".figures.typ"
    source.write_text(
        f"#set page(width: auto, height: auto, margin: 0pt)\n{pages}", encoding="utf-8"
    )
    try:
        made = library("typst", wanted).compile(
            str(source), root=str(folder), format=kind, ppi=float(DPI)
        )
    finally:
        source.unlink()
    return made if isinstance(made, list) else [made]


def pictures(folder: Path, wanted: str = "png") -> Path:
    """The folder ``png`` of a run, every figure in it at 300 dpi; made once for all formats."""
    target = folder / "png"
    names = list(results_of(folder)["figures"])
    if not target.is_dir():
        made = drawn(folder, names, "png", wanted) if names else []
        target.mkdir()
        for name, picture in zip(names, made, strict=True):
            (target / f"{name}.png").write_bytes(_with_size(picture))
    return target


def write_png(folder: Path, _page: str, _title: str, _language: str) -> Path:
    """The figures as pictures for print."""
    return pictures(folder)


def _with_size(png: bytes) -> bytes:
    """A PNG that says how large it is on paper (chunk pHYs, in pixels per metre)."""
    per_metre = round(DPI / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    size, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return png[:_HEAD] + size + chunk + check + png[_HEAD:]
