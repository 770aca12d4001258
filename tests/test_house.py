"""The house rules that a machine can check: one list of dependencies, light imports, floors."""

import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import cvlib
from cvlib.inputs.datasets import entries

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cvlib"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCKS = {"reports": "requirements.lock", "test": "requirements-test.lock"}  # by extra
PILLARS = ("satisfaction", "weighting", "lifetime")
GROUND = ("inputs", "statistics", "words")
HEAVY = ("semopy", "statsmodels", "seaborn", "papermill", "ibis", "duckdb", "lifelines",
         "sklearn", "openpyxl")  # fmt: skip
SYSTEMS = [
    {"sys_platform": system, "os_name": name, "platform_system": title,
     "python_version": "3.11", "python_full_version": "3.11.9", "extra": ""}
    for system, name, title in (("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"),
                                ("win32", "nt", "Windows"))
]  # fmt: skip


def read_lock(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a lock with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            parts = line.split(" --hash=")
            yield Requirement(parts[0].strip()), [part.strip() for part in parts[1:]]


LOCKED = {name: list(read_lock(name)) for name in LOCKS.values()}


@cache
def parsed(path: Path) -> ast.Module:
    """A file of code, read once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The modules a file imports, anywhere in it, with cvlib's own in full."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found.add(str(node.module))
            if node.module in ("cvlib", "cvlib.study"):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules(room: str) -> list[Path]:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files, f"there is no room {room}"
    return files


def reaches(path: Path, *rooms: str) -> list[str]:
    names = [f"cvlib.{room}" for room in rooms]
    return [
        module
        for module in sorted(imports(path))
        if any(module == name or module.startswith(f"{name}.") for name in names)
    ]


@pytest.mark.parametrize("lock", LOCKED)
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    assert len(LOCKED[lock]) > 50
    for requirement, hashes in LOCKED[lock]:
        assert re.fullmatch(r"==[^*]+", str(requirement.specifier)), requirement
        assert requirement.url is None and hashes, requirement
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), requirement
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index|--find-links|--trusted-host", text)


def test_the_test_lock_adds_to_the_running_lock_and_changes_nothing() -> None:
    running, testing = ({str(row) for row, _ in rows} for rows in LOCKED.values())
    assert running < testing
    names = {canonicalize_name(row.name) for row, _ in LOCKED["requirements.lock"]}
    assert names.isdisjoint({"pytest", "playwright", "mypy", "sphinx", "ruff", "ahpy"})


def dependencies(extra: str) -> list[str]:
    """The core dependencies and those of an extra, which may name other extras of cvlib."""
    found = list(PROJECT["dependencies"])
    for written in PROJECT["optional-dependencies"][extra]:
        wanted = Requirement(written)
        own = wanted.name == PROJECT["name"]
        found += [each for inner in wanted.extras for each in dependencies(inner)] if own else []
        found += [] if own else [written]
    return sorted(set(found))


@pytest.mark.parametrize(
    ("extra", "written"), [(extra, each) for extra in LOCKS for each in dependencies(extra)]
)
def test_every_dependency_is_locked_at_a_version_it_allows(extra: str, written: str) -> None:
    wanted = Requirement(written)
    for system in SYSTEMS:
        if wanted.marker and not wanted.marker.evaluate(system):
            continue
        found = [
            next(iter(row.specifier)).version
            for row, _ in LOCKED[LOCKS[extra]]
            if canonicalize_name(row.name) == canonicalize_name(wanted.name)
            and (row.marker is None or row.marker.evaluate(system))
        ]
        assert len(found) == 1, f"{written}: {found} on {system['platform_system']}"
        assert wanted.specifier.contains(found[0]), f"{written}: {found[0]} is locked"


def test_the_conda_environment_is_the_lock_on_the_same_python() -> None:
    *conda, pip = ENVIRONMENT["dependencies"]
    assert [item.split("=")[0] for item in conda] == ["python", "pip"]
    python = conda[0].split("=")[-1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.0")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert python == settings["mypy"]["python_version"]
    assert settings["ruff"]["target-version"] == "py" + python.replace(".", "")
    assert pip == {"pip": ["-r requirements.lock"]}
    assert ENVIRONMENT["name"] == PROJECT["name"]


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cvlib.__version__ == PROJECT["version"] == str(citation["version"])
    assert citation["license"] == PROJECT["license"]
    assert f"## {cvlib.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def loaded(code: str) -> set[str]:
    """The top-level modules a fresh interpreter holds after running the code."""
    code += "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_import_cvlib_costs_next_to_nothing() -> None:
    assert loaded("import cvlib").isdisjoint({*HEAVY, "pandas", "numpy", "scipy", "matplotlib"})


def test_listing_the_notebooks_loads_no_table_and_no_chart() -> None:
    code = "from cvlib.cli import main\nmain(['list'], standalone_mode=False)"
    assert loaded(code).isdisjoint({*HEAVY, "pandas", "numpy", "matplotlib", "IPython"})


def test_the_runner_and_its_pages_draw_nothing() -> None:
    assert "matplotlib" not in loaded("import cvlib.study.batch, cvlib.study.gallery")


def test_heavy_packages_are_loaded_only_where_they_are_used() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ("inputs", *PILLARS)
        for path in modules(room)
    ]
    heavy = loaded("import " + ", ".join(names)) & {*HEAVY, "matplotlib"}
    assert not heavy


@pytest.mark.parametrize("room", PILLARS)
def test_pillars_stand_on_their_own(room: str) -> None:
    others = [o for o in (*PILLARS, "customer", "study", "cli", "figures") if o != room]
    for path in modules(room):
        assert not reaches(path, *others), path.relative_to(ROOT)


def test_the_ground_stands_on_nothing() -> None:
    for path in (path for room in GROUND for path in modules(room)):
        assert not reaches(path, *PILLARS, "customer", "study", "cli", "figures"), path
    allowed = {*sys.stdlib_module_names, "matplotlib", "numpy", "pandas", "yaml", "cycler"}
    allowed.add("seaborn")
    for path in modules("figures"):
        assert not reaches(path, *PILLARS, "study", "cli", "inputs"), path.relative_to(ROOT)
        outside = {name.partition(".")[0] for name in imports(path)} - allowed - {"cvlib"}
        assert not outside, f"{path.relative_to(ROOT)} imports {outside}"


def test_what_joins_the_pillars_knows_no_runner() -> None:
    for path in modules("customer"):
        assert not reaches(path, "study", "cli", "figures"), path.relative_to(ROOT)


def test_the_runner_knows_no_statistics() -> None:
    for path in modules("study"):
        assert not reaches(path, *PILLARS, "customer", "cli"), path.relative_to(ROOT)


def test_the_checks_of_this_file_see_a_forbidden_import(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("def f():\n    from cvlib.weighting import ahp\n    from cvlib import study\n")
    assert reaches(path, "weighting", "study") == ["cvlib.study", "cvlib.weighting"]
    assert "statistics" in loaded("import statistics")


def graph(folder: Path) -> dict[str, set[str]]:
    """Which file of a package imports which other, anywhere in it but for types alone."""
    names = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sorted(folder.rglob("*.py"))
    }
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        tree = parsed(path)
        typing = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        named: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing:
                parts = {f"{node.module}.{alias.name}" for alias in node.names}
                named |= (parts & set(names)) or {node.module}
            elif isinstance(node, ast.Import) and id(node) not in typing:
                named |= {alias.name for alias in node.names}
        found[name] = named & set(names) - {name}
    return found


def circles(imported: dict[str, set[str]]) -> list[set[str]]:
    """Groups of files that lead back to themselves."""
    reach = {name: set(inner) for name, inner in imported.items()}
    while True:
        grown = {n: r.union(*(reach[other] for other in r)) for n, r in reach.items()}
        if grown == reach:
            break
        reach = grown
    rings = [{other for other in r if name in reach[other]} for name, r in reach.items()]
    return [ring for at, ring in enumerate(rings) if ring and ring not in rings[:at]]


def test_no_files_import_each_other_in_a_circle(tmp_path: Path) -> None:
    assert circles(graph(PACKAGE)) == []
    for name, text in {"a": "from p.b import x", "b": "def f():\n    import p.a", "c": ""}.items():
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / f"{name}.py").write_text(text)
    assert circles(graph(tmp_path / "p")) == [{"p.a", "p.b"}]


def public(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The public functions of a module and methods of its classes, with their names."""
    for outer in parsed(path).body:
        for node in outer.body if isinstance(outer, ast.ClassDef) else [outer]:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and not node.name.startswith("_"):
                yield f"{path.name}: {node.name}", node


def taken(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [each.arg for each in every if each.arg not in ("self", "cls")]


def test_public_functions_take_nine_parameters_at_most(tmp_path: Path) -> None:
    wide = {
        name: taken(node)
        for path in PACKAGE.rglob("*.py")
        for name, node in public(path)
        if len(taken(node)) > 9
    }
    assert not wide
    (tmp_path / "a.py").write_text(f"class A:\n    def f(self, {', '.join('abcdefghij')}): ...")
    [(name, node)] = public(tmp_path / "a.py")
    assert name == "a.py: f" and len(taken(node)) == 10


def test_public_functions_have_a_docstring() -> None:
    found = [each for path in PACKAGE.rglob("*.py") for each in public(path)]
    assert len(found) > 500
    bare = [name for name, node in found if node.col_offset == 0 and not ast.get_docstring(node)]
    assert not bare


# What the command line says of its own options, before a language is known.
_ENGLISH = {"cli.py", "upkeep.py"}


def literal(node: ast.expr) -> bool:
    """Whether an argument is a sentence in one language: a text that is no message."""
    if isinstance(node, ast.IfExp):
        return literal(node.body) or literal(node.orelse)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and " " in node.value.strip()
    return isinstance(node, ast.JoinedStr)


def refusals(tree: ast.AST) -> Iterator[ast.expr]:
    """What is wrong and what to do, of every refusal."""
    first = {"InputError": 1, "fault": 3}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in first:
                yield from node.args[first[name] : first[name] + 2]
                yield from (k.value for k in node.keywords if k.arg in ("wrong", "remedy"))


def test_every_refusal_is_told_in_both_languages() -> None:
    assert literal(ast.parse("f'{a} is wrong'", mode="eval").body)
    assert literal(ast.parse("a if b else 'Mend it.'", mode="eval").body)
    english = [
        f"{path.relative_to(PACKAGE)}:{part.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in _ENGLISH
        for part in refusals(ast.parse(path.read_text(encoding="utf-8")))
        if literal(part)
    ]
    assert not english


def test_no_module_is_longer_than_450_lines() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, path


def test_hooks_download_nothing() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["language"] == "system"


def test_the_notebook_hook_finds_nothing_to_strip() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entry = next(h["entry"] for h in hooks["repos"][0]["hooks"] if h["id"] == "nbstripout")
    extra = re.search(r'--extra-keys "([^"]+)"', entry)
    assert extra and all(flag in entry for flag in ("--keep-output", "--keep-count", "--keep-id"))
    notebooks = sorted(str(path) for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    command = [sys.executable, "-m", "nbstripout", "--keep-output", "--keep-count", "--keep-id",
               "--extra-keys", extra[1], "--verify", *notebooks]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def tracked() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, or git is absent")
    return [ROOT / name for name in run.stdout.split("\0") if name]


def test_only_the_shipped_data_sets_are_kept() -> None:
    files = tracked()
    data = {path.name for path in files if path.parent == ROOT / "data"}
    shipped = {item.file for item in entries().values() if item.shipped}
    assert data == {*shipped, "README.md", ".gitattributes"}
    foreign = {item.sha256 for item in entries().values() if not item.shipped}
    for path in files:
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() not in foreign, path


def test_the_map_of_the_house_lists_every_module() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed, folders = set(), []
    for line in text.split("## The rooms")[1].split("```")[1].strip().splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        folders = [*folders[:depth], name.rstrip("/")]
        if name.endswith(".py"):
            listed.add("/".join(folders))
    unlisted = {"__init__.py", "__main__.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name not in unlisted
    }
    assert listed == found
