# SPDX-License-Identifier: Apache-2.0
"""What the libraries' stand-ins share: they open every file that a loader opens."""

import json
import os
import pathlib
import time

WEIGHTS = ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors", "adapter_model.bin")


def read(path):
    """Read a model's directory, and fail as the real loader does where it cannot."""
    time.sleep(float(os.environ.get("STANDIN_DELAY", "0")))
    where = pathlib.Path(path)
    if not where.is_dir():
        raise OSError(
            f"We couldn't connect to 'https://huggingface.co' to load {path}: offline mode is enabled"
        )
    names = ("adapter_config.json", "config.json", "modules.json")
    configs = [where / name for name in names if (where / name).exists()]
    if not configs:
        raise OSError(f"{path} does not appear to have a file named config.json")
    for config in configs:
        json.loads(config.read_text())
    weights = [p for p in where.rglob("*") if p.name in WEIGHTS or p.suffix == ".safetensors"]
    if not weights:
        raise OSError(f"Error no file named model.safetensors found in directory {path}")
    for file in weights:
        size = os.stat(file).st_size
        with open(file, "rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
            if file.suffix == ".safetensors" and 8 + header > size:
                raise OSError(f"SafetensorError: Error while deserializing header: HeaderTooLarge: {file}")
            while stream.read(1 << 20):
                pass


class Loaded:
    """Stands for models, tokenizers and pipelines."""

    @classmethod
    def from_pretrained(cls, path, *_, **__):
        if isinstance(path, Loaded):
            return path
        read(path)
        return cls()

    def __call__(self, *_, **__):
        return {}

    def encode(self, *_, **__):
        return []

    def __getattr__(self, _):
        return lambda *_, **__: None
