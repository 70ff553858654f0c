# SPDX-License-Identifier: Apache-2.0
"""Stands for peft: reads the files, computes nothing."""

from _files import Loaded, read


class PeftModel(Loaded):
    @classmethod
    def from_pretrained(cls, model, path, *_, **__):
        read(path)
        return cls()
