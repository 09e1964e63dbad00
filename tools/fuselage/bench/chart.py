"""The picture of the results: a bar a row, logarithmic, beside the line that is Linux."""

import math
from html import escape

LEFT, RIGHT, LINE, TOP = 190, 470, 16, 56
LOWEST, HIGHEST = 0.05, 4.0
COLOURS = {True: "#2b7a4b", False: "#b5482f"}
TITLE = "guest instructions under QEMU TCG, not hardware time"


def place(ratio):
    """Where on the axis RATIO lies."""
    ratio = min(max(ratio, LOWEST), HIGHEST)
    span = math.log(HIGHEST / LOWEST)
    return LEFT + (RIGHT - LEFT) * math.log(ratio / LOWEST) / span


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def svg(results):
    rows = [row for row in results.rows if row.ratio is not None]
    height = TOP + LINE * len(rows) + 14
    linux = ", ".join(kernel["title"].removeprefix("Linux ")
                      for name, kernel in results.kernels.items() if name != "fuselage")
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {RIGHT + 60} {height}" '
           f'width="{RIGHT + 60}" height="{height}" font-family="sans-serif" font-size="11">',
           f'<title>Fuselage beside Linux: {TITLE}</title>',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           text(8, 16, f"Fuselage / Linux ({linux}), lower is better", 'font-weight="bold"'),
           text(8, 31, TITLE, 'fill="#555"')]
    for tick in (0.1, 0.25, 0.5, 1.0, 2.0):
        x = place(tick)
        stroke = "#222" if tick == 1.0 else "#ccc"
        out += [f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 10}" '
                f'stroke="{stroke}"/>',
                text(x, TOP - 10, "Linux = 1" if tick == 1.0 else f"{tick:g}",
                     'text-anchor="middle" fill="#555"')]
    start = place(1.0)
    for number, row in enumerate(rows):
        y = TOP + LINE * number
        x = place(row.ratio)
        out += [text(LEFT - 8, y + 10, f"{row.family} {row.name}", 'text-anchor="end"'),
                f'<rect x="{min(x, start):.1f}" y="{y + 2}" width="{abs(x - start):.1f}" '
                f'height="10" fill="{COLOURS[row.ratio <= 1]}"/>',
                text(RIGHT + 8, y + 10, f"{row.ratio:.2f}")]
    return "\n".join(out + ["</svg>"]) + "\n"
