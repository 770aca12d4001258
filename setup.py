"""Builds the wheel with what lies beside the package: the notebooks and the shipped data."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE = {"notebooks": "*.ipynb", "data": "*"}


class BuildWithShipped(build_py):
    """Copies notebooks and data into ``cvlib/_shipped``; editable, they are found in place."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder, pattern in BESIDE.items():
            target = Path(self.build_lib, "cvlib", "_shipped", folder)
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for path in Path(folder).glob(pattern):
                shutil.copyfile(path, target / path.name)


setup(cmdclass={"build_py": BuildWithShipped})
