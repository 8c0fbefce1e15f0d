"""Runs the step of action.yml that runs the program, as a runner would: action.py PROGRAM"""

import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).parent.parent.parent
action = yaml.safe_load((ROOT / "action.yml").read_text())
steps = {step.get("id"): step for step in action["runs"]["steps"]}


def run(stale=None, **inputs):
    """The exit code of the step, what it put out, its SARIF and its summary; perhaps after another run of the job."""
    given = {name: value["default"] for name, value in action["inputs"].items()} | inputs
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        program = folder / "s3log-lint/bin/s3log-lint"
        program.parent.mkdir(parents=True)
        program.symlink_to(sys.argv[1])
        (folder / "work").mkdir()
        if stale is not None:
            (folder / "s3log-lint.sarif").write_text(stale)
        environment = {
            name: given[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
            for name, expression in steps["run"]["env"].items()
        }
        files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", steps["run"]["run"]],
            cwd=folder / "work",
            env=os.environ | environment | {"RUNNER_TEMP": str(folder)} | {k: str(v) for k, v in files.items()},
            capture_output=True,
            text=True,
        )
        outputs = files["GITHUB_OUTPUT"].read_text() if files["GITHUB_OUTPUT"].exists() else ""
        outputs = dict(line.split("=", 1) for line in outputs.splitlines())
        sarif = pathlib.Path(outputs.get("sarif", "/nonexistent"))
        summary = files["GITHUB_STEP_SUMMARY"]
        return (
            ran,
            outputs,
            sarif.read_text() if sarif.exists() else None,
            summary.read_text() if summary.exists() else None,
        )


ran, outputs, sarif, summary = run(command="audit", arguments="--demo\n--bucket\nshop-w*")
assert ran.returncode == 0, ran.stderr
assert outputs["exit-code"] == "1", outputs
assert "::error" in ran.stdout, ran.stdout
assert sarif and '"S3L001"' in sarif
assert summary and summary.startswith("<!-- s3log-lint -->"), summary

ran, outputs, _, _ = run(command="audit", arguments="--demo", **{"fail-on": "never", "unknown": "ignore"})
assert outputs["exit-code"] == "0", (outputs, ran.stderr)

# A run that fails must fail the step at once: there is nothing to upload.
hostile = '$(touch pwned)\n"; touch pwned; "'
ran, outputs, sarif, _ = run(command="audit", arguments=hostile, stale="{}")
assert ran.returncode == 2 and outputs["exit-code"] == "2" and sarif is None, (ran, outputs)
print("the action's step runs")
