"""A fingerprint of the code that a script really uses.

Snakemake sees when a script's file is newer than its outputs; it sees neither what the script
imports nor whether a change means anything. The fingerprint follows names: from the script's
statements to the functions, classes and constants of the package that they refer to, and on from
there. It hashes their syntax trees without docstrings, so a comment, a docstring, another layout
or another time stamp changes nothing, and a change of one function concerns only what uses it.
Files of other kinds that the code names (`FILES`), sources of kernels and templates, count whole.
"""

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Symbol = tuple[str, str]  # module and top-level name; an empty name stands for the whole module

EVERYTHING = ""
EFFECTS = "<effects>"
FILES = (".cpp", ".hpp", ".j2")  # beside the module that names them, in a string of its own

# Modules that say what a job did and never decide about what it makes: a change of one of these
# runs nothing again. They are used by every script. Paths from the package.
NOT_RESULTS = frozenset(
    {"logs", "provenance.circumstances", "provenance.hashing", "provenance.record"}
)


@dataclass(frozen=True)
class _Piece:
    """What counts of some statements: their text, and what they import and name themselves.

    `names` holds (name, attribute) of every `name.attribute`, and (name, "") of every name; `files`
    what they name of `FILES`.
    """

    text: str
    imports: dict[str, Symbol]
    names: frozenset[tuple[str, str]]
    files: frozenset[str]


@dataclass
class _Module:
    """Top-level content of one module."""

    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Symbol] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)  # statements run on import
    pieces: dict[str, _Piece] = field(default_factory=dict)  # by definition, made once

    def piece(self, name: str, module: str) -> _Piece:
        """Return one definition, or what the module does besides defining (`EFFECTS`)."""
        if name not in self.pieces:
            statements = self.effects if name == EFFECTS else self.definitions[name]
            self.pieces[name] = _piece(statements, module)
        return self.pieces[name]


def fingerprint(script: str | Path, package: str | Path, extra: Iterable[str] = ()) -> str:
    """Return a hash of what `script` uses of itself and of `package`.

    Parameters
    ----------
    script
        Python file at which to start.
    package
        Folder of the package whose modules are followed (`src/mri2pet`).
    extra
        Further symbols that the script reaches by name only, as `module:name`.
    """
    package = Path(package)
    reader = _Reader(package)
    reader.visit_all(_read(Path(script), package.name, _stamp(Path(script))), "")
    for symbol in extra:
        module, _, name = symbol.partition(":")
        reader.visit((module, name))
    lines = sorted(f"{module}:{name}:{text}" for (module, name), text in reader.seen.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


class _Reader:
    """Walks from symbol to symbol and keeps the text of each."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self.seen: dict[Symbol, str] = {}

    def visit(self, symbol: Symbol) -> None:
        """Follow one symbol of the package."""
        module, name = symbol
        path = self._path(module)
        if path is None or symbol in self.seen or self._does_not_count(module):
            return
        content = _read(path, module, _stamp(path))
        submodule = f"{module}.{name}"
        if name and name not in content.definitions and self._path(submodule):
            self.visit((submodule, EVERYTHING))
            return
        if name in content.imports:  # re-exported from elsewhere
            self.seen[symbol] = ""
            self.visit(content.imports[name])
            return
        if name == EVERYTHING or name not in content.definitions:
            self.visit_all(content, module)
            return
        self._follow(content, module, name)
        self._run(content, module)

    def visit_all(self, content: _Module, module: str) -> None:
        """Follow everything a module defines and does."""
        if (module, EVERYTHING) in self.seen:
            return
        self.seen[module, EVERYTHING] = ""
        for name in content.definitions:
            self._follow(content, module, name)
        self._run(content, module)

    def _run(self, content: _Module, module: str) -> None:
        """Count what importing the module does besides defining names."""
        if content.effects and (module, EFFECTS) not in self.seen:
            self._follow(content, module, EFFECTS)

    def _follow(self, content: _Module, module: str, name: str) -> None:
        """Keep a piece of a module and follow all it names, imports inside functions too."""
        piece = content.piece(name, module)
        self.seen[module, name] = piece.text
        for file in piece.files:
            self._count(module, file)
        imports = {**content.imports, **piece.imports}
        for used, attribute in piece.names:
            target = imports.get(used)
            if attribute:
                if target and self._is_module(target):
                    self.visit((_dotted(target), attribute))
            elif target:
                if not self._is_module(target):
                    self.visit(target)
            elif used in content.definitions and (module, used) not in self.seen:
                self._follow(content, module, used)

    def _count(self, module: str, file: str) -> None:
        """Keep a hash of a file of another kind, if it lies beside the module that names it."""
        path = self._path(module) if module else None
        for folder in (path.parent, path.parent / "templates") if path else ():
            if (folder / file).is_file():
                self.seen[module, file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()

    def _is_module(self, symbol: Symbol) -> bool:
        """Tell whether a symbol is itself a module of the package."""
        module, name = symbol
        if name == EVERYTHING:
            return True
        path = self._path(module)
        return bool(
            self._path(_dotted(symbol))
            and (path is None or name not in _read(path, module, _stamp(path)).definitions)
        )

    def _does_not_count(self, module: str) -> bool:
        """Tell whether a module is one of `NOT_RESULTS`."""
        return module.partition(".")[2] in NOT_RESULTS

    def _path(self, module: str) -> Path | None:
        """Return the file of a module of the package, or None."""
        parts = module.split(".")
        if parts[0] != self.package.name:
            return None
        base = self.package.joinpath(*parts[1:])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
        return None


def _dotted(symbol: Symbol) -> str:
    """Return `module.name`."""
    return ".".join(part for part in symbol if part)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells a changed file for the cache; it never enters the fingerprint."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@cache
def _read(path: Path, module: str, _changed: tuple[int, int]) -> _Module:
    """Sort a module's top-level statements into definitions, imports and effects."""
    content = _Module()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for statement in ast.parse(path.read_text(), filename=str(path)).body:
        names = _defined(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            content.imports.update(_imported(statement, package + "." if package else module))
        elif names:
            for name in names:
                content.definitions.setdefault(name, []).append(statement)
        elif not _is_docstring(statement):
            content.effects.append(statement)
    return content


def _defined(statement: ast.stmt) -> list[str]:
    """Return the top-level names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        names = [node.id for t in targets for node in ast.walk(t) if isinstance(node, ast.Name)]
        return names if all(isinstance(t, ast.Name | ast.Tuple) for t in targets) else []
    return []


def _imported(node: ast.AST, module: str) -> dict[str, Symbol]:
    """Return what an import statement binds: local name to symbol."""
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parent = module.rstrip(".").split(".")
            base = ".".join([*parent[: len(parent) - node.level + 1], *filter(None, [base])])
        return {alias.asname or alias.name: (base, alias.name) for alias in node.names}
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: (alias.name, EVERYTHING)
            for alias in node.names
        }
    return {}


def _is_docstring(statement: ast.stmt) -> bool:
    """Tell whether a statement is a bare string."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _piece(statements: list[ast.stmt], module: str) -> _Piece:
    """Sum up statements of a module."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    imports: dict[str, Symbol] = {}
    names, files = set(), set()
    for node in nodes:
        imports.update(_imported(node, module))
        if isinstance(node, ast.Constant) and str(node.value).endswith(FILES):
            files.add(str(node.value))
        if isinstance(node, ast.Name):
            names.add((node.id, ""))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add((node.value.id, node.attr))
    return _Piece(_text(statements), imports, frozenset(names), frozenset(files))


def _text(statements: list[ast.stmt]) -> str:
    """Return the code of statements as Python prints it, without docstrings and comments.

    The docstrings are taken out of `statements`.
    """
    tree = ast.Module(body=statements, type_ignores=[])
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def forget_sources() -> None:
    """Let go of the sources that were read: some 50 MiB."""
    _read.cache_clear()
