"""Checks behaviour of AWS on a deployed stage, and prints one verdict per line: `make verify-aws STAGE=dev`.

    verify.py STAGE [CHECK…]      runs all checks, or the named ones; docs/aws-checks.md lists them

It opens a few uploads of some bytes and one of 16 MiB, and removes them if its user may. A stage with sign-in needs a user's
token in DIRECTPUT_AUTHORIZATION ('Bearer …'). LARGE=1 also sends an upload of up to 50 GiB.
"""

import sys

from checks import CHECKS
from stage import Skipped, Stage, Wrong


def name_of(check) -> str:
    return check.__name__.replace("_", "-")


def verdict(check, stage: Stage) -> tuple[str, str]:
    """Runs a check. Returns ok, FAIL or skip, and the observation."""
    try:
        return "ok", check(stage)
    except Wrong as wrong:
        return "FAIL", str(wrong)
    except Skipped as skipped:
        return "skip", str(skipped)
    except Exception as error:  # A check that breaks must not stop the others.
        return "FAIL", f"{type(error).__name__}: {error}"


def verify(stage: Stage, names: list[str]) -> int:
    """Runs the named checks, or all checks if none is named. Returns the number of failures."""
    known = {name_of(check): check for check in CHECKS}
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"unknown checks: {', '.join(sorted(unknown))}; known checks: {', '.join(known)}")
    failed = 0
    for name in names or known:
        word, seen = verdict(known[name], stage)
        failed += word == "FAIL"
        print(f"{word:4}  {name:28}{seen}", flush=True)
    word, seen = verdict(lambda stage: stage.forget() or "removed", stage)
    if word == "FAIL":
        print(f"note  the uploaded objects were not removed: {seen}")
    return failed


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = verify(Stage.of(sys.argv[1]), sys.argv[2:])
    sys.exit(f"{failed} checks failed" if failed else 0)


if __name__ == "__main__":
    main()
