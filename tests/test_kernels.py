"""Which processors this one can play."""

import pytest

from .kernels import FAMILIES, found, others, variables

HASWELL, SANDYBRIDGE, NEHALEM = FAMILIES
NEW = ["X86_V3", "X86_V4", "AVX512_ICL"]
OLD_NAMES = ["AVX", "F16C", "FMA3", "AVX2", "AVX512F", "AVX512_SKX"]


@pytest.mark.parametrize(
    ("own", "always", "features", "names"),
    [
        ("SkylakeX", ["X86_V2"], NEW, ["Haswell", "Sandybridge", "Nehalem"]),
        ("SkylakeX", ["SSE", "SSE42"], OLD_NAMES, ["Haswell", "Sandybridge", "Nehalem"]),
        # OpenBLAS built without AVX-512, on a processor that has it
        ("Haswell", ["X86_V2"], NEW, ["Haswell", "Sandybridge", "Nehalem"]),
        ("Haswell", ["X86_V2"], ["X86_V3"], ["Sandybridge", "Nehalem"]),
        ("Sandybridge", ["X86_V2"], [], ["Nehalem"]),
        ("Nehalem", ["X86_V2"], [], []),
        ("neoversen1", ["NEON", "ASIMD"], ["ASIMDHP"], []),
    ],
)
def test_only_older_families_are_played(own, always, features, names):
    assert [family.name for family in others(own, always, features)] == names


def test_only_features_that_are_there_are_turned_off():
    assert variables(HASWELL, NEW)["NPY_DISABLE_CPU_FEATURES"] == "X86_V4 AVX512_ICL"
    assert variables(SANDYBRIDGE, OLD_NAMES)["NPY_DISABLE_CPU_FEATURES"] == " ".join(OLD_NAMES[1:])
    assert variables(NEHALEM, NEW)["NPY_DISABLE_CPU_FEATURES"] == "X86_V3 X86_V4 AVX512_ICL"
    assert variables(HASWELL, OLD_NAMES)["NPY_DISABLE_CPU_FEATURES"] == "AVX512F AVX512_SKX"
    assert variables(NEHALEM, OLD_NAMES)["NPY_DISABLE_CPU_FEATURES"] == " ".join(OLD_NAMES)
    assert variables(HASWELL, ["X86_V3"]) == {"OPENBLAS_CORETYPE": "Haswell"}


def test_this_processor_is_known():
    own, always, features = found()
    assert isinstance(own, str) and not set(always) & set(features)
