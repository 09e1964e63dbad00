#!/usr/bin/python3
"""crc32c_table.py FILE: the table that e2fsprogs' crc32c.c takes eight bytes at a time by, as its own
generator has it, which would have to run on the machine that builds."""

import sys

CASTAGNOLI = 0x82F63B78     # reversed; RFC 3720, section 12.1


def next_byte(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (CASTAGNOLI if crc & 1 else 0)
    return crc


def main():
    rows = [[next_byte(byte) for byte in range(256)]]
    while len(rows) < 8:
        rows.append([rows[0][crc & 255] ^ crc >> 8 for crc in rows[-1]])
    table = ",\n".join("{" + ", ".join(f"tole(0x{crc:08x}L)" for crc in row) + "}" for row in rows)
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"static const uint32_t crc32ctable_le[8][256] = {{{table}}};\n"
                   "/* the other one goes bit by bit: CRC_BE_BITS is 1 */\n"
                   "#define crc32table_be NULL\n")


if __name__ == "__main__":
    main()
