#!/usr/bin/python3
"""Seeds of the ACPI fuzzer: memories with tables, laid out as acpi.c has them (it puts right the
signatures, checksums and addresses), and each thing that is checked, wrong once."""

import struct
import sys
from pathlib import Path

AS_IT_IS, LED = 0, 1                        # the last byte: whether acpi.c leads to the tables,
NAMED, IN_EBDA, IN_BIOS = 0, 2, 4           # and where they lie
PLACES = {NAMED: 0x1000, IN_EBDA: 0x9fc00, IN_BIOS: 0xe0000}
XSDT_AT, FIRST, SPACING = 64, 128, 256
MADT, FADT, DSDT = 0, 1, 2                  # what acpi.c makes of a table, by its ninth byte


def table(kind, body, length=None):
    """A table whose length acpi.c will make what it should be; its header has 36 bytes."""
    length = 36 + len(body) if length is None else length
    return b"????" + struct.pack("<IBB", (length - 30) % 512, kind, 0) + b"FUSELGFUZZ    " \
        + bytes(12) + body


def memory(*tables, last=LED, rsdp_len=36, revision=2, rsdt=0):
    data = bytearray(FIRST + SPACING * 3)
    struct.pack_into("<8sB6sBIIQB", data, 0, b"RSD PTR ", 0, b"FUSELG", revision, rsdt, rsdp_len,
                     0, 0)
    for i, one in enumerate(tables):
        data[FIRST + i * SPACING:FIRST + i * SPACING + len(one)] = one
    return bytes(data[:FIRST + SPACING * 3]) + bytes([last])


def record(kind, form, *values):
    return bytes([kind, 2 + struct.calcsize("<" + form)]) + struct.pack("<" + form, *values)


def local_apics(numbers, flags=1):
    return b"".join(record(0, "BBI", i, i, flags) for i in numbers)


def fadt(smi=0xb2, enable=2, pm1a=0x604, flags=1 << 10, reset=(1, 0xcf9), x_pm1a=(0, 0), x_dsdt=0):
    body = bytearray(208 - 36)
    struct.pack_into("<IBB", body, 48 - 36, smi, enable, 3)
    struct.pack_into("<II", body, 64 - 36, pm1a, 0)
    struct.pack_into("<I", body, 112 - 36, flags)
    struct.pack_into("<BBBBQB", body, 116 - 36, reset[0], 8, 0, 1, reset[1], 6)
    struct.pack_into("<Q", body, 140 - 36, x_dsdt)
    struct.pack_into("<BBBBQ", body, 172 - 36, x_pm1a[0], 16, 0, 2, x_pm1a[1])
    return table(FADT, bytes(body))


def s5(package, name=b"\x08_S5_"):
    return table(DSDT, b"\x10\x05\\_SB_" + name + package)


APICS = struct.pack("<II", 0xfee00000, 1)
RECORDS = APICS + local_apics(range(3)) + local_apics([1, 0xff]) + local_apics([7], 0) \
    + record(9, "HIII", 0, 0x123, 1, 9) + record(9, "HIII", 0, 0xffffffff, 1, 9) \
    + record(1, "BBII", 4, 0, 0xfec00000, 0) \
    + b"".join(record(2, "BBIH", bus, line, 2, flags)
               for bus, line, flags in ((0, 0, 0), (0, 9, 0xd), (1, 3, 0), (0, 16, 0))) \
    + record(4, "BHB", 0xff, 5, 1) + record(4, "BHB", 2, 5, 3) \
    + record(10, "HIB3s", 5, 9, 1, bytes(3)) + record(5, "HQ", 0, 0xfee10000)
MANY = APICS + record(1, "BBII", 4, 0, 0xfec00000, 0) * 9 + record(4, "BHB", 0xff, 5, 1) * 9
OFF = s5(b"\x12\x06\x04\x0a\x05\x01\x00\x00")

SEEDS = {
    "all": memory(table(MADT, RECORDS), fadt(), OFF),
    "in-ebda": memory(table(MADT, RECORDS), fadt(), OFF, last=LED | IN_EBDA),
    "in-bios": memory(table(MADT, RECORDS), fadt(), OFF, last=LED | IN_BIOS),
    "nowhere": memory(last=AS_IT_IS | IN_BIOS, revision=0).replace(b"RSD", b"rsd"),
    "many": memory(table(MADT, MANY), fadt(), OFF),
    "cpus": memory(table(MADT, APICS + local_apics(range(26))), fadt(), OFF),
    "same-tables-twice": memory(table(MADT, APICS), table(MADT, RECORDS), fadt()),
    "zero-record": memory(table(MADT, APICS + b"\0\0"), fadt(), OFF),
    "long-record": memory(table(MADT, APICS + b"\0\xf0" + bytes(9)), fadt(), OFF),
    "short-records": memory(table(MADT, APICS + b"\0\2\1\2\2\2\4\2\5\2\x09\2\x0a\2"), fadt(), OFF),
    "short-madt": memory(table(MADT, b"", length=38), fadt(), OFF),
    "short-fadt": memory(table(MADT, RECORDS), table(FADT, bytes(40)), OFF),
    "old-fadt": memory(table(MADT, RECORDS), table(FADT, bytes(80)), OFF),
    "reduced": memory(table(MADT, RECORDS), fadt(flags=1 << 20), OFF),
    "new-registers": memory(table(MADT, RECORDS), fadt(x_pm1a=(1, 0x404), reset=(0, 0xfed0)), OFF),
    "wide-port": memory(table(MADT, RECORDS), fadt(x_pm1a=(1, 0x40404), pm1a=0x70000,
                                                   reset=(3, 1)), OFF),
    "far-dsdt": memory(table(MADT, RECORDS), fadt(x_dsdt=1 << 40), OFF),
    "dsdt-is-none": memory(table(MADT, RECORDS), fadt(x_dsdt=PLACES[NAMED] + FIRST), OFF),
    "s5-by-root": memory(table(MADT, RECORDS), fadt(), s5(b"\x12\x06\x02\x0a\x07\x00", b"\x08\\_S5_")),
    "s5-wide": memory(table(MADT, RECORDS), fadt(), s5(b"\x12\x46\x00\x04\x0a\x05\x0a\x09\x00")),
    "s5-variable": memory(table(MADT, RECORDS), fadt(), s5(b"\x12\x06\x04SLPTSLPT")),
    "s5-cut": memory(table(MADT, RECORDS), fadt(), s5(b"\x12\xc0")),
    "s5-ends": memory(table(MADT, RECORDS), fadt(), s5(b"\x12\x06\x04\x0a")),
    "old-rsdp": memory(table(MADT, RECORDS), revision=0, rsdt=0x1040),
    "short-rsdp": memory(table(MADT, RECORDS), rsdp_len=20),
    "long-rsdp": memory(table(MADT, RECORDS), rsdp_len=99999),
    "cut-rsdp": memory(table(MADT, RECORDS))[:30] + bytes([AS_IT_IS]),
    "as-it-is": memory(table(MADT, RECORDS), fadt(), OFF, last=AS_IT_IS),
}


def with_sums(data):
    """A memory that is right as it is, with a root of the old form: no help from acpi.c."""
    data = bytearray(data)
    struct.pack_into("<4sI", data, XSDT_AT, b"RSDT", 40)
    struct.pack_into("<I", data, XSDT_AT + 36, PLACES[NAMED] + FIRST)
    data[8] = -sum(data[:20]) & 0xff
    data[XSDT_AT + 9] = -sum(data[XSDT_AT:XSDT_AT + 40]) & 0xff
    return bytes(data)


SEEDS["old-root"] = with_sums(memory(table(MADT, RECORDS), last=AS_IT_IS, revision=0,
                                     rsdt=PLACES[NAMED] + XSDT_AT))
SEEDS["wrong-root"] = with_sums(memory(last=AS_IT_IS, revision=0, rsdt=PLACES[NAMED] + XSDT_AT)) \
    .replace(b"RSDT", b"RTSD")

for name, content in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(content)
