# SPDX-License-Identifier: Apache-2.0
"""Reads environment files with systemd's own load_env_file().

On stdin: "LENGTH\\n" and so many bytes, again and again. For each one on
stdout: "LENGTH\\n" and so many bytes: "ok" and the assignments, a NUL after
each, or nothing where systemd refuses the file.
"""
import ctypes
import sys
import tempfile

strv = ctypes.POINTER(ctypes.c_char_p)
library = ctypes.CDLL(sys.argv[1])
library.load_env_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(strv)]


def answer(text):
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        found = strv()
        if library.load_env_file(None, file.name.encode(), ctypes.byref(found)) < 0:
            return b""
    out = [b"ok"]
    while found and found[len(out) - 1]:
        out.append(found[len(out) - 1])
    return b"\0".join(out) + b"\0"


for length in iter(sys.stdin.buffer.readline, b""):
    reply = answer(sys.stdin.buffer.read(int(length)))
    sys.stdout.buffer.write(b"%d\n" % len(reply) + reply)
    sys.stdout.buffer.flush()
