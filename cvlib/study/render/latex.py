"""LaTeX of a finished run: a file per table and figure, and one that compiles with all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.study.render.finished import answer_in, evidence_in, results_of
from cvlib.study.render.pictures import drawn
from cvlib.study.render.word_tables import column_widths
from cvlib.words.exhibits import Exhibit, exhibits
from cvlib.words.language import Words
from cvlib.words.message import message
from cvlib.words.safe import without_controls
from cvlib.words.tables import escape_latex, printed

_UPRIGHT, _LANDSCAPE = 170.0, 250.0  # mm of text on A4
_SIZE = 8.0  # points; a table that needs smaller type to stand upright is turned
_A_PAGE = 35  # rows
_PREAMBLE = r"""% Compile twice with XeLaTeX: xelatex main.tex && xelatex main.tex
\documentclass[11pt,a4paper]{article}
\usepackage[margin=20mm]{geometry}
\usepackage{fontspec}
% a font with Greek letters, where the machine has one
\IfFontExistsTF{STIX Two Text}{\setmainfont{STIX Two Text}}{%
  \IfFontExistsTF{DejaVu Serif}{\setmainfont{DejaVu Serif}}{}}
\usepackage{array,booktabs,float,graphicx,longtable,pdflscape}
\floatplacement{table}{H}
\floatplacement{figure}{H}
"""
_CHINESE = r"""% Chinese needs a Chinese font: Noto Serif CJK SC where installed, else Fandol,
% which comes with TeX Live (package fandol). To use another: \setCJKmainfont{SimSun}, say.
\usepackage{xeCJK}
\IfFontExistsTF{Noto Serif CJK SC}{\setCJKmainfont{Noto Serif CJK SC}}{%
  \setCJKmainfont[BoldFont=FandolSong-Bold.otf]{FandolSong-Regular.otf}}
\renewcommand{\tablename}{表}
\renewcommand{\figurename}{图}
"""


def write_latex(folder: Path, page: str, title: str, language: str) -> Path:
    """``latex/``: a booktabs table per file, the figures as PDF, and ``main.tex`` with them all."""
    target = folder / "latex"
    target.mkdir(exist_ok=True)
    results = results_of(folder)
    words = Words(language, results["names"])
    for name in results["figures"]:
        (picture,) = drawn(folder, [name], "pdf", "latex")
        (target / f"{_file(name)}.pdf").write_bytes(picture)
    parts = {name: _included(name, about) for name, about in results["figures"].items()}
    for name, rows in results["tables"].items():
        if rows:
            text = table_tex(name, pd.DataFrame(rows), results, words)
            _write(target / f"{_file(name)}.tex", text)
            parts[name] = f"\\input{{{_file(name)}.tex}}\n"
    _write(target / "main.tex", _main(title, results, parts, words))
    return target


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _file(name: str) -> str:
    """Name of a table's or figure's file: ``main`` is the document's."""
    return f"{name}_" if name.lower() == "main" else name


def tex(text: str) -> str:
    """Text as LaTeX prints it, in one line and without a sign that a command could take."""
    plain = escape_latex(" ".join(without_controls(text).split()))
    plain = plain.replace("--", "-{}-")  # two signs, no dash
    # after \\ or \midrule a bracket would be an option and an asterisk a variant
    return "{}" + plain if plain.startswith(("[", "*")) else plain


def _included(name: str, about: dict[str, str]) -> str:
    caption = f"\\caption{{{tex(about['title'])}}}\n" if about["title"] else ""
    size = "width=\\linewidth,height=0.45\\textheight,keepaspectratio"
    return (
        "\\begin{figure}\n\\centering\n"
        f"\\includegraphics[{size}]{{{_file(name)}.pdf}}\n{caption}\\label{{fig:{name}}}\n\\end{{figure}}\n"
    )


def table_tex(name: str, table: pd.DataFrame, results: dict[str, Any], words: Words) -> str:
    """A table as LaTeX: over several pages where it is long, turned where it is wide.

    Parameters
    ----------
    name : str
        Name of the table, for its label.
    table : DataFrame
        At full precision; as many rows are printed as the report shows.
    results : dict
        Results of the run, for the caption.
    words : Words
        Language, and labels of the names in the table.
    """
    caption = results["captions"][name]
    rows = exhibits(results["notebook"]).get(name, Exhibit()).rows
    notes = [caption["note"]] if caption["note"] else []
    if len(table) > rows:
        cut = message("common.rows_shown", rows=rows, all=len(table), name=name)
        notes.append(words.text(cut))
    shown, kinds = printed(table.head(rows), caption["decimals"], words, name)
    heads = words.heads(map(str, shown.columns), name)
    cells = [heads, *shown.to_numpy().tolist()]
    size, widths = column_widths(cells, _UPRIGHT)
    turned = size < _SIZE
    page = _LANDSCAPE if turned else _UPRIGHT
    if turned:
        size, widths = column_widths(cells, page)
    lines = [" & ".join(map(tex, row)) + r" \\" for row in cells]
    head = f"\\toprule\n{lines[0]}\n\\midrule\n"
    body = "\n".join(lines[1:])
    said = f"\\caption{{{tex(caption['title'] or name.replace('_', ' '))}}}"
    label = f"\\label{{tab:{name}}}"
    spec = _columns(kinds, widths, sum(widths) > page - 1)
    type_ = (
        f"\\fontsize{{{size:g}}}{{{size * 1.25:g}}}\\selectfont\\setlength{{\\tabcolsep}}{{1.2mm}}"
    )
    note = ""
    if notes:
        word = words.text("Note.")
        joined = " ".join(map(tex, notes))
        note = f"\\par\\smallskip\n{{\\footnotesize \\textit{{{word}}} {joined}}}\n"
    if len(cells) > _A_PAGE:
        text = (
            f"{{{type_}\n\\begin{{longtable}}{{{spec}}}\n{said}{label}\\\\\n{head}\\endfirsthead\n"
            f"{head}\\endhead\n\\bottomrule\n\\endfoot\n{body}\n\\end{{longtable}}\n}}{note}"
        )
    else:
        text = (
            f"\\begin{{table}}\n\\centering\n{said}\n{label}\n{{{type_}\n\\begin{{tabular}}{{{spec}}}\n"
            f"{head}{body}\n\\bottomrule\n\\end{{tabular}}\n}}{note}\\end{{table}}\n"
        )
    if turned:
        text = f"\\begin{{landscape}}\n{text}\\end{{landscape}}\n"
    return f"% needs the packages array, booktabs, longtable and pdflscape\n{text}"


def _columns(kinds: list[str], widths: list[float], full: bool) -> str:
    """What LaTeX is told of the columns: their sides, and their widths where the page is full."""
    if not full:
        return "".join("r" if kind == "number" else "l" for kind in kinds)
    ragged = {"number": "left", "text": "right"}
    return "".join(
        f">{{\\ragged{ragged[kind]}\\arraybackslash}}p{{{width - 2.4:.1f}mm}}"
        for kind, width in zip(kinds, widths, strict=True)
    )


def _main(title: str, results: dict[str, Any], parts: dict[str, str], words: Words) -> str:
    """The document: answer, evidence, appendix, methods, references."""
    answer = answer_in(results)
    evidence = [name for name in evidence_in(results) if name in parts and name != answer["hero"]]
    rest = [name for name in parts if name not in {*evidence, answer["hero"]}]
    text = _PREAMBLE + (_CHINESE if words.language == "zh" else "")
    text += f"\\title{{{tex(title)}}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n"
    text += _section(words.text("Answer"), "")
    text += f"\\textit{{{tex(answer['question'])}}}\n\n" if answer["question"] else ""
    text += "".join(f"\\textbf{{{tex(sentence)}}}\n\n" for sentence in answer["verdict"])
    tiles = [
        f"{tile['label']}: {tile['value']}" + (f" ({tile['interval']})" if tile["interval"] else "")
        for tile in answer["tiles"]
    ]
    text += _list(tiles) + parts.get(answer["hero"], "")
    for head, key in (("What to do", "advice"), ("What to doubt", "doubts")):
        if answer[key]:
            text += f"\\subsection*{{{words.text(head)}}}\n{_list(answer[key])}"
    for head, names in (("Evidence", evidence), ("Appendix", rest)):
        if names:
            text += _section(words.text(head), "\n".join(parts[name] for name in names))
    if results.get("methods"):
        text += _section(words.text("Methods"), f"{tex(results['methods'])}\n")
    if results.get("references"):
        text += _section(words.text("References"), _list(results["references"]))
    return text + "\\end{document}\n"


def _section(head: str, content: str) -> str:
    return f"\\section*{{{tex(head)}}}\n{content}\n"


def _list(texts: list[str]) -> str:
    if not texts:
        return ""
    items = "\n".join(f"\\item {{}}{tex(text)}" for text in texts)
    return f"\\begin{{itemize}}\\raggedright\n{items}\n\\end{{itemize}}\n"
