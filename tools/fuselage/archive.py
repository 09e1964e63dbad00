"""--get: unpacks the tar stream that the guest sends, in a thread of its own, as it comes.

The guest may be broken or hostile: nothing is written outside of what the user named. A member may
not leave its destination by its name, nor through a symlink that an earlier member made. Modes,
times (to the nanosecond) and symlinks are kept; owners, set-id bits and devices are not.
"""

import os
import posixpath
import queue
import stat
import tarfile
import threading
from decimal import Decimal

MODE_KEPT = 0o1777
COPY_SIZE = 1 << 20


class Stream:
    """What tarfile reads from: the pieces that were fed."""

    def __init__(self):
        self.pieces = queue.Queue(maxsize=256)
        self.current = b""
        self.ended = False

    def read(self, size):
        while len(self.current) < size and not self.ended:
            piece = self.pieces.get()
            if piece is None:
                self.ended = True
            else:
                self.current += piece
        data, self.current = self.current[:size], self.current[size:]
        return data


class Unpacker:
    """Unpacks one archive to the places of PAIRS, a list of (guest path, host path or None)."""

    def __init__(self, pairs):
        self.targets = {}
        self.arrived = set()
        for guest, host in pairs:
            name = posixpath.normpath(guest).lstrip("/")
            base = posixpath.basename(posixpath.normpath(guest))
            if host is None:
                host = base
            elif os.path.isdir(host) or host.endswith("/"):
                host = os.path.join(host, base)
            self.targets[name] = host
        self.problems = []
        self.directories = []           # (path, mode, mtime_ns), to be set when all is in them
        self.stream = Stream()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def feed(self, data):
        """The next bytes of the stream. Waits while the disk is behind."""
        while self.thread.is_alive():
            try:
                self.stream.pieces.put(data, timeout=0.5)
                return
            except queue.Full:
                continue

    def finish(self):
        """No more comes. Returns what went wrong, as sentences."""
        self.feed(None)
        self.thread.join()
        for name in self.targets:
            if name not in self.arrived:
                self.problems.append(f"--get: /{name} did not come out")
        return self.problems

    def _work(self):
        try:
            with tarfile.open(fileobj=self.stream, mode="r|") as tar:
                for member in tar:
                    try:
                        self._unpack(tar, member)
                    except OSError as error:
                        self.problems.append(f"--get: {member.name}: {error.strerror or error}")
            for path, mode, mtime_ns in reversed(self.directories):
                os.chmod(path, mode)
                os.utime(path, ns=(mtime_ns, mtime_ns))
        except (tarfile.TarError, OSError, EOFError) as error:
            self.problems.append(f"--get: the archive is broken: {error}")
        while not self.stream.ended:    # so that feed() never waits for a reader that is gone
            self.stream.current = b""
            self.stream.read(1)

    def _destination(self, member):
        """Where MEMBER goes, or None with a problem noted."""
        name = posixpath.normpath(member.name.lstrip("/"))
        if name == ".." or name.startswith("../"):
            self.problems.append(f"--get: refused {member.name!r}: it leads outside")
            return None
        for target, host in sorted(self.targets.items(), key=lambda item: -len(item[0])):
            if name == target or target == ".":
                self.arrived.add(target)
                return host if name == target else os.path.join(host, name)
            if name.startswith(target + "/"):
                return self._inside(host, name[len(target) + 1:], member)
        self.problems.append(f"--get: refused {member.name!r}: nobody asked for it")
        return None

    def _inside(self, host, rest, member):
        """HOST/REST, if no directory on the way is a symlink."""
        path = host
        for part in rest.split("/")[:-1]:
            path = os.path.join(path, part)
            if os.path.islink(path):
                self.problems.append(f"--get: refused {member.name!r}: it goes through a symlink")
                return None
        return os.path.join(host, rest)

    def _unpack(self, tar, member):
        path = self._destination(member)
        if path is None:
            return
        mode = member.mode & MODE_KEPT
        mtime_ns = int(Decimal(member.pax_headers.get("mtime", str(int(member.mtime)))) * 10 ** 9)
        if member.isdir():
            if os.path.islink(path) or not os.path.isdir(path):
                os.makedirs(path)
            os.chmod(path, mode | stat.S_IRWXU)
            self.directories.append((path, mode, mtime_ns))
            return
        if os.path.lexists(path):
            os.unlink(path)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if member.issym():
            os.symlink(member.linkname, path)
        elif member.isreg():
            with open(path, "xb") as out, tar.extractfile(member) as data:
                while piece := data.read(COPY_SIZE):
                    out.write(piece)
            os.chmod(path, mode)
        elif member.isfifo():
            os.mkfifo(path, mode)
        else:
            self.problems.append(f"--get: {member.name!r} is neither file, directory nor link")
            return
        os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
