"""Plays snake by looking at the screen: the shortest way to the food, past the snake.

Used for the program on the host and for the one in the machine; what it is given has `lines()`,
`wait_for(found)`, `send(text)`, and the game runs with --turns.
"""

import collections
import re

MOVES = {"w": (0, -1), "s": (0, 1), "d": (1, 0), "a": (-1, 0)}
HEADS = ("oo", "xx")


class Board:
    """What the screen shows, in squares of two cells; a square is (x, y)."""

    def __init__(self, terminal):
        terminal.wait_for(lambda lines: self.read(lines))

    def read(self, lines):
        """False: the picture is not whole yet."""
        self.head = self.food = None
        self.body = set()
        rows = [line for line in lines if line.startswith("\u2551") and line.count("\u2551") > 1]
        if not lines:
            return False
        frame = any(line.startswith("\u255a") for line in lines)
        for y, line in enumerate(rows):
            inside = line[1:line.rstrip().rindex("\u2551")]
            for x in range(len(inside) // 2):
                pair = inside[2 * x:2 * x + 2]
                if pair in HEADS:
                    self.head = (x, y)
                elif pair == "\u2666\u2666":
                    self.food = (x, y)
                elif pair == "\u2588\u2588":
                    self.body.add((x, y))
        self.width = len(rows[0].rstrip()) // 2 - 1 if rows else 0
        self.height = len(rows)
        score = re.search(r"score (\d+)", lines[0])
        self.score = int(score[1]) if score else None
        return frame and self.head and self.food and self.score is not None

    def way_to_food(self):
        """Keys of the shortest way, or None."""
        seen, waiting = {self.head}, collections.deque([(self.head, "")])
        while waiting:
            at, keys = waiting.popleft()
            if at == self.food:
                return keys
            for key, (dx, dy) in MOVES.items():
                to = (at[0] + dx, at[1] + dy)
                if to not in seen and to not in self.body \
                        and 0 <= to[0] < self.width and 0 <= to[1] < self.height:
                    seen.add(to)
                    waiting.append((to, keys + key))
        return None


def wait_for_head(terminal, place):
    board = Board(terminal)
    terminal.wait_for(lambda lines: board.read(lines) and board.head == place)
    return board


def play(terminal, meals):
    """Eats so many times, then runs into the frame. The score."""
    board = Board(terminal)
    for meal in range(meals):
        way = board.way_to_food()
        assert way, "\n".join(terminal.lines())
        for key in way:
            place = (board.head[0] + MOVES[key][0], board.head[1] + MOVES[key][1])
            terminal.send(key)
            board = wait_for_head(terminal, place)
        terminal.wait_for(lambda lines, score=meal + 1: board.read(lines) and board.score == score)
    for _ in range(board.width + board.height):
        if any("game over" in line for line in terminal.lines()):
            break
        head = board.head
        terminal.send("w")              # up until the frame; the neck may be there at first
        terminal.wait_for(lambda lines: any("game over" in line for line in lines)
                          or board.read(lines) and board.head != head)
    return board.score
