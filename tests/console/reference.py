"""pyte as a reference, with what it is known to get wrong put right.

What differs from xterm, and so from us, and where (pyte 0.8):

  a full row            the cursor is behind the last column, and stays there when it moves up or
                        down, or when something is erased; xterm's stands in the last column and
                        forgets that the row is full
  margins               the cursor above or below the region jumps into it when it moves; CSI r keeps
                        the old bottom; a row outside of the region in origin mode is ignored
                        instead of cut
  erasing, inserting,   what becomes free has all of the pen's attributes, or none, and cells never
  deleting, scrolling   written keep the old background; xterm takes the pen's background alone
  ICH                   a cell pushed out at the right comes back with DCH
  DECSC, DECRC          are a stack; origin mode is never switched off again
  SGR 90 to 107         become bold and dark instead of bright
  DECALN                keeps colours and region
  NEL                   is a line feed, without going to the row's start
  HPA                   has an apostrophe for its backquote
"""

from collections import namedtuple

import pyte
from pyte import graphics, modes

Saved = namedtuple("Saved", "x y attrs g0 g1 charset origin")


class ReferenceStream(pyte.ByteStream):
    """A pyte.ByteStream that knows NEL and HPA."""

    csi = {**pyte.ByteStream.csi, "`": "cursor_to_column"}
    escape = dict(pyte.ByteStream.escape, E="next_line")
    events = pyte.ByteStream.events | {"next_line"}


class Reference(pyte.Screen):
    """A pyte.Screen with the rows of the table above put right."""

    def reset(self):
        self.saved = None
        super().reset()

    # ---- helpers ----

    def blank(self):
        return self.default_char._replace(bg=self.cursor.attrs.bg)

    def fill(self, row, first=0, end=None):
        for x in range(first, self.columns if end is None else end):
            self.buffer[row][x] = self.blank()

    def region(self):
        return self.margins or pyte.screens.Margins(0, self.lines - 1)

    def settle(self):
        self.cursor.x = min(self.cursor.x, self.columns - 1)

    # ---- the cursor ----

    def cursor_up(self, count=None):
        self.settle()
        top = self.region().top if self.cursor.y >= self.region().top else 0
        self.cursor.y = max(self.cursor.y - (count or 1), top)

    def cursor_down(self, count=None):
        self.settle()
        bottom = self.region().bottom if self.cursor.y <= self.region().bottom else self.lines - 1
        self.cursor.y = min(self.cursor.y + (count or 1), bottom)

    def cursor_forward(self, count=None):
        self.settle()
        super().cursor_forward(count)

    def cursor_position(self, line=None, column=None):
        row = (line or 1) - 1
        if modes.DECOM in self.mode:
            row = min(row + self.region().top, self.region().bottom)
        self.cursor.y = min(row, self.lines - 1)
        self.cursor.x = min((column or 1) - 1, self.columns - 1)

    def cursor_to_line(self, line=None):
        self.settle()
        self.cursor_position(line, self.cursor.x + 1)

    def tab(self):
        if self.cursor.x < self.columns:
            super().tab()

    def set_tab_stop(self):
        self.tabstops.add(min(self.cursor.x, self.columns - 1))

    def clear_tab_stop(self, how=0):
        self.tabstops.discard(self.columns - 1 if how == 0 and self.cursor.x == self.columns
                              else None)
        super().clear_tab_stop(how)

    def index(self):
        self.settle()
        if self.cursor.y == self.region().bottom:
            super().index()
            self.fill(self.cursor.y)
        elif self.cursor.y + 1 < self.lines:
            self.cursor.y += 1

    def reverse_index(self):
        self.settle()
        if self.cursor.y == self.region().top:
            super().reverse_index()
            self.fill(self.cursor.y)
        elif self.cursor.y > 0:
            self.cursor.y -= 1

    def next_line(self):
        self.index()
        self.carriage_return()

    def set_margins(self, top=None, bottom=None):
        first = (top or 1) - 1
        last = min(bottom or self.lines, self.lines) - 1
        if first < last:
            self.margins = pyte.screens.Margins(first, last)
            self.cursor_position()

    def save_cursor(self):
        self.saved = Saved(self.cursor.x, self.cursor.y, self.cursor.attrs, self.g0_charset,
                           self.g1_charset, self.charset, modes.DECOM in self.mode)

    def restore_cursor(self):
        if not self.saved:
            self.saved = Saved(0, 0, self.default_char, pyte.charsets.LAT1_MAP,
                               pyte.charsets.VT100_MAP, 0, False)
        self.cursor.x, self.cursor.y, self.cursor.attrs = self.saved[:3]
        self.g0_charset, self.g1_charset, self.charset = self.saved[3:6]
        self.mode.discard(modes.DECOM)
        if self.saved.origin:
            self.mode.add(modes.DECOM)

    # ---- cells ----

    def erase_characters(self, count=None):
        self.settle()
        self.fill(self.cursor.y, self.cursor.x, min(self.cursor.x + (count or 1), self.columns))

    def erase_in_line(self, how=0, private=False):
        self.settle()
        if how in (0, 1, 2):
            self.fill(self.cursor.y, self.cursor.x if how == 0 else 0,
                      self.cursor.x + 1 if how == 1 else None)

    def erase_in_display(self, how=0, private=False):
        rows = {0: range(self.cursor.y + 1, self.lines), 1: range(self.cursor.y),
                2: range(self.lines)}.get(how, ())
        self.settle()
        for row in rows:
            self.fill(row)
        if how in (0, 1):
            self.erase_in_line(how)

    def shift(self, first, bottom, count, down):
        rows = [dict(self.buffer[y]) for y in range(first, bottom + 1)]
        count = min(count, len(rows))
        for i, y in enumerate(range(first, bottom + 1)):
            source = i - count if down else i + count
            self.fill(y)
            if 0 <= source < len(rows):
                for x in range(self.columns):
                    self.buffer[y][x] = rows[source].get(x, self.default_char)

    def insert_lines(self, count=None):
        if self.region().top <= self.cursor.y <= self.region().bottom:
            self.shift(self.cursor.y, self.region().bottom, count or 1, True)
            self.carriage_return()

    def delete_lines(self, count=None):
        if self.region().top <= self.cursor.y <= self.region().bottom:
            self.shift(self.cursor.y, self.region().bottom, count or 1, False)
            self.carriage_return()

    def insert_characters(self, count=None):
        self.settle()
        count = min(count or 1, self.columns - self.cursor.x)
        line = self.buffer[self.cursor.y]
        row = [line[x] for x in range(self.columns)]
        row[self.cursor.x:self.cursor.x] = [self.blank()] * count
        for x in range(self.columns):
            line[x] = row[x]

    def delete_characters(self, count=None):
        self.settle()
        count = min(count or 1, self.columns - self.cursor.x)
        line = self.buffer[self.cursor.y]
        row = [line[x] for x in range(self.columns)]
        del row[self.cursor.x:self.cursor.x + count]
        row += [self.blank()] * count
        for x in range(self.columns):
            line[x] = row[x]

    def alignment_display(self):
        for y in range(self.lines):
            for x in range(self.columns):
                self.buffer[y][x] = self.default_char._replace(data="E")
        self.margins = None
        self.cursor.x = self.cursor.y = 0

    def select_graphic_rendition(self, *attrs):
        rest = list(attrs)
        while rest:
            number = rest.pop(0)
            key = "fg" if number in graphics.FG_AIXTERM else "bg"
            if number in graphics.FG_AIXTERM or number in graphics.BG_AIXTERM:
                self.cursor.attrs = self.cursor.attrs._replace(
                    **{key: graphics.FG_BG_256[number % 10 + 8]})
            elif number in (graphics.FG_256, graphics.BG_256):
                taken = {5: 2, 2: 4}.get(rest[0] if rest else 0, 0)
                super().select_graphic_rendition(number, *rest[:taken])
                del rest[:taken]
            else:
                super().select_graphic_rendition(number)
        if not attrs:
            super().select_graphic_rendition()
