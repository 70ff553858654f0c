# SPDX-License-Identifier: Apache-2.0
"""Stands for transformers: reads the files, computes nothing."""

from _files import Loaded


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (Loaded,), {})
