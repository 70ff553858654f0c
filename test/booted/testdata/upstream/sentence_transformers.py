# SPDX-License-Identifier: Apache-2.0
"""Stands for sentence-transformers: reads the files, computes nothing."""

from _files import Loaded, read


class SentenceTransformer(Loaded):
    def __init__(self, path, *_, **__):
        read(path)
