"""The exec channel, as bytes: frames both ways, and the rings in shared memory.

A frame is `u8 type, u8 0, u16 length LE, payload`. The guest's come from the status port, the
host's go to COM2. docs/exec-channel.md describes the whole of it.
"""

import mmap
import os
import struct
import threading

HEADER = struct.Struct("<BBH")
DATA_MAX = 4096                 # the most stdin bytes in one frame
PROTOCOL_VERSION = 1

# Words of a ring's descriptor (64 bytes each, u32), and the rings in their order.
HEAD, TAIL, OFFSET, SIZE, PRODUCER_WAITS, CONSUMER_WAITS = range(6)
RING_WORDS = 16
RINGS = ("stdin", "stdout", "stderr", "archive")
BLOCK_ALIGN = 4096
BLOCK_LIMIT = 0x8000_0000       # below it physical addresses are offsets into the memory file


class ProtocolError(Exception):
    """The guest said what the protocol does not allow."""


def frame(kind, payload=b""):
    """One frame for the guest."""
    return HEADER.pack(ord(kind), 0, len(payload)) + payload


class FrameReader:
    """Cuts the bytes of the status port into frames."""

    def __init__(self):
        self.pending = bytearray()

    def feed(self, data):
        """Yields (type, payload) of every frame that is complete now."""
        self.pending += data
        while len(self.pending) >= HEADER.size:
            if self.pending[0] == 0:    # a panic fills up the frame that it cuts off with zeros
                del self.pending[0]
                continue
            kind, zero, length = HEADER.unpack_from(self.pending)
            if zero or not 0x41 <= kind <= 0x7a:
                raise ProtocolError(f"bad frame header {bytes(self.pending[:4]).hex()}")
            end = HEADER.size + length
            if len(self.pending) < end:
                return
            payload = bytes(self.pending[HEADER.size:end])
            del self.pending[:end]
            yield chr(kind), payload


class Ring:
    """One ring in the guest's memory. Everything in it is checked: the guest may be broken."""

    def __init__(self, memory, words, block, index):
        self.memory = memory
        self.words = words
        self.first = block // 4 + index * RING_WORDS
        self.size = self._word(SIZE)
        self.start = block + self._word(OFFSET)
        if not 0 < self.size <= 1 << 30 or self.size & (self.size - 1):
            raise ProtocolError(f"ring {RINGS[index]}: size {self.size}")
        if self.start + self.size > len(memory):
            raise ProtocolError(f"ring {RINGS[index]}: outside of memory")

    def _word(self, index):
        return self.words[self.first + index]

    def _set(self, index, value):
        self.words[self.first + index] = value & 0xffffffff

    def filled(self):
        """Bytes that wait in the ring."""
        count = (self._word(HEAD) - self._word(TAIL)) & 0xffffffff
        if count > self.size:
            raise ProtocolError(f"a ring of {self.size} bytes claims to hold {count}")
        return count

    def space(self):
        return self.size - self.filled()

    def take(self):
        """All bytes that wait, without giving their space back: call took() once they are safe."""
        count = self.filled()
        begin = self._word(TAIL) % self.size
        first = min(count, self.size - begin)
        data = self.memory[self.start + begin:self.start + begin + first]
        if first < count:
            data += self.memory[self.start:self.start + count - first]
        return data

    def took(self, count):
        self._set(TAIL, self._word(TAIL) + count)

    def put(self, data):
        """Appends DATA, for which there is space()."""
        begin = self._word(HEAD) % self.size
        first = min(len(data), self.size - begin)
        self.memory[self.start + begin:self.start + begin + first] = data[:first]
        self.memory[self.start:self.start + len(data) - first] = data[first:]
        self._set(HEAD, self._word(HEAD) + len(data))

    def ask_wake(self, flag):
        """Says that this side is about to wait, before it looks once more."""
        self._set(flag, 1)
        full_barrier()

    def must_wake(self, flag):
        """True once if the other side waits."""
        full_barrier()
        if not self._word(flag):
            return False
        self._set(flag, 0)
        return True


_barrier = threading.Lock()


def full_barrier():
    """Orders our last store before our next load: taking a lock is a locked instruction."""
    with _barrier:
        pass


class SharedMemory:
    """The guest's memory as a file that QEMU and the tool both map."""

    def __init__(self, mem_mib):
        self.size = mem_mib << 20
        self.descriptor = os.memfd_create("fuselage-guest")
        os.ftruncate(self.descriptor, self.size)
        self.memory = mmap.mmap(self.descriptor, self.size)
        self.rings = None

    def qemu_options(self):
        return ["-object", f"memory-backend-file,id=ram,size={self.size},share=on,"
                           f"mem-path=/proc/self/fd/{self.descriptor}",
                "-machine", "memory-backend=ram"]

    def attach(self, address):
        """The guest's rings lie at physical ADDRESS."""
        end = address + len(RINGS) * RING_WORDS * 4
        if address % BLOCK_ALIGN or end > min(self.size, BLOCK_LIMIT):
            raise ProtocolError(f"rings at {address:#x}")
        words = memoryview(self.memory).cast("I")
        self.rings = {name: Ring(self.memory, words, address, index)
                      for index, name in enumerate(RINGS)}
