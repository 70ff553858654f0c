# SPDX-License-Identifier: Apache-2.0
"""Runs a service of JustNews as it is: serve.py MODULE.

Libraries that neither load models nor answer requests are replaced by objects
that accept everything.
"""

import importlib.machinery
import importlib.util
import runpy
import sys
from unittest.mock import MagicMock

ABSENT = ("opentelemetry", "pynvml", "torch", "bitsandbytes", "sentry_sdk", "mysql", "chromadb", "redis", "psycopg2", "aiohttp", "docker")


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


sys.meta_path.append(Finder())
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
