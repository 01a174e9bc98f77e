"""Run the kernels under sanitizers: ``python -m tests.trainer.native.sanitize``.

The C++ driver runs under the address and undefined-behaviour sanitizers, and under the thread
sanitizer. With GCC the kernels' Python tests run under the former too.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.trainer.native.drivers import DRIVER, build_driver
from trainer.errors import NoKernels
from trainer.native.toolchain import find_compiler

_CHECKS = ("address,undefined", "thread")
_SANITIZER_FLAGS = ("-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all")
# A batch that no memory holds must be refused as it is without sanitizers.
_OPTIONS = "allocator_may_return_null=1"
# The tests that run the kernels themselves; the others build libraries or starve processes.
_PYTHON_TESTS = ("test_network.py", "test_dropout.py")


def main() -> int:
    """Run all checks; return how many failed."""
    try:
        compiler = find_compiler()
    except NoKernels as error:
        print(f"sanitize: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        failures = [check for check in _CHECKS if not _run_driver(check, Path(folder))]
        if (preloaded := _runtimes(compiler)) is None:
            print("sanitize: the Python tests are left out: they need GCC's sanitizer libraries")
        elif not _run_python_tests(compiler, preloaded, Path(folder)):
            failures.append("the Python tests")
    print(f"sanitize: {'failed: ' + '; '.join(failures) if failures else 'all is clean'}")
    return len(failures)


def _run_driver(check: str, folder: Path) -> bool:
    """Build and run the driver under a sanitizer."""
    print(f"sanitize: the driver under {check}", flush=True)
    program = folder / f"driver-{check}"
    try:
        build_driver(program, f"-fsanitize={check}", *_SANITIZER_FLAGS)
    except subprocess.CalledProcessError as error:
        print(f"sanitize: {error.cmd[0]} cannot build with -fsanitize={check}:\n{error.stderr}")
        return False
    return not subprocess.run([program], env=_environment(), check=False).returncode


def _run_python_tests(compiler: tuple[str, ...], preloaded: str, folder: Path) -> bool:
    """Run the Python tests with a library built for the address sanitizer."""
    print("sanitize: the Python tests under address,undefined", flush=True)
    flags = ("-fsanitize=address,undefined", *_SANITIZER_FLAGS)
    environment = _environment() | {
        "CXX": shlex.join([*compiler, *flags]),
        "XDG_CACHE_HOME": str(folder / "cache"),
        # Python and torch keep memory until the process ends.
        "ASAN_OPTIONS": f"{_OPTIONS}:detect_leaks=0",
    }
    # Built first: the compiler itself should not run under the sanitizer.
    build = "from trainer.native import library; library.build_library(library.SOURCE)"
    if subprocess.run([sys.executable, "-c", build], env=environment, check=False).returncode:
        return False
    tests = [str(DRIVER.with_name(name)) for name in _PYTHON_TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return not subprocess.run(
        command, env=environment | {"LD_PRELOAD": preloaded}, check=False
    ).returncode


def _runtimes(compiler: tuple[str, ...]) -> str | None:
    """Return what must be preloaded into Python, if the compiler is a GCC that has it."""
    asked = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False)
    if "clang" in asked.stdout:
        return None
    found = []
    for name in ("libasan.so", "libubsan.so", "libstdc++.so"):
        asked = subprocess.run(
            [*compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=False
        )
        path = Path(asked.stdout.strip())
        # A compiler that does not have a file prints its bare name.
        if not path.is_absolute() or not path.exists():
            return None
        found.append(str(path))
    return " ".join(found)


def _environment() -> dict[str, str]:
    return {**os.environ, "ASAN_OPTIONS": _OPTIONS, "TSAN_OPTIONS": _OPTIONS}


if __name__ == "__main__":
    sys.exit(main())
