"""Compares this program with checkov's check for S3 logging (CKV_AWS_18) on real templates and plans.

    checkov.py PROGRAM CHECKOV FOLDER

FOLDER holds CloudFormation templates and Terraform plans in JSON, at any depth. Which buckets are log buckets is read
from the files by this script alone: neither tool is asked. Prints a table in Markdown.
"""

import collections
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import yaml

PROGRAM, CHECKOV, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)


def read(path):
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16"):
        try:
            text = raw.decode(encoding)
        except UnicodeError:
            continue
        try:
            return json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader)
        except (ValueError, yaml.YAMLError):
            return None
    return None


def references(value):
    """The logical ids that an expression of CloudFormation may be."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, list):
        return set().union(*map(references, value)) if value else set()
    if isinstance(value, dict):
        if "Ref" in value:
            return {value["Ref"]}
        if "Fn::GetAtt" in value:
            got = value["Fn::GetAtt"]
            return {got.split(".")[0] if isinstance(got, str) else got[0]}
        return set().union(*map(references, value.values())) if value else set()
    return set()


def template(document):
    """{address: names} of all buckets, and the addresses of the log buckets."""
    buckets, targets = {}, set()
    for name, entry in (document.get("Resources") or {}).items():
        if not isinstance(entry, dict) or entry.get("Type") != "AWS::S3::Bucket":
            continue
        properties = entry.get("Properties") or {}
        named = properties.get("BucketName")
        buckets[name] = {name} | ({named} if isinstance(named, str) else set())
        logging = properties.get("LoggingConfiguration") or {}
        targets |= references(logging) - {name}
    logs = {address for address, names in buckets.items() if names & targets}
    return buckets, logs


def modules(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from modules(child)


def plan(document):
    values = document.get("planned_values") or {}
    found = list(modules(values.get("root_module") or {}))
    buckets, targets = {}, set()
    for entry in found:
        value = entry.get("values") or {}
        if entry["type"] == "aws_s3_bucket":
            buckets[entry["address"]] = {entry["address"]} | ({value["bucket"]} if value.get("bucket") else set())
            for block in value.get("logging") or []:
                if block.get("target_bucket") != value.get("bucket"):
                    targets.add(block.get("target_bucket"))
        if entry["type"] == "aws_s3_bucket_logging" and value.get("target_bucket") != value.get("bucket"):
            targets.add(value.get("target_bucket"))
    # What is known only after the deploy is named by reference.
    configuration = (document.get("configuration") or {}).get("root_module") or {}
    for entry in configuration.get("resources", []):
        if entry["type"] == "aws_s3_bucket_logging":
            expressions = entry.get("expressions") or {}
            target = set((expressions.get("target_bucket") or {}).get("references", []))
            targets |= target - set((expressions.get("bucket") or {}).get("references", []))
    logs = {
        address
        for address, names in buckets.items()
        if names & targets or address.split("[")[0] in targets
    }
    return buckets, logs


def files():
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix not in (".json", ".yaml", ".yml", ".template"):
            continue
        if any(word in path.name for word in ("state", "replan", "index.json", "manifest", "tree.json")):
            continue
        document = read(path)
        if not isinstance(document, dict):
            continue
        if "Resources" in document:
            yield path, "CloudFormation", template(document)
        elif "planned_values" in document and "resource_changes" in document:
            yield path, "Terraform", plan(document)


def run(command, folder=None):
    """What it prints, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | {"LOG_LEVEL": "ERROR"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ran, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    given = list(files())
    tally = {kind: collections.Counter() for kind in ("CloudFormation", "Terraform")}
    codes = {kind: collections.Counter() for kind in tally}
    told = {}
    for path, kind, (buckets, logs) in given:
        count = tally[kind]
        count["files"] += bool(buckets)
        count["buckets"] += len(buckets)
        count["log buckets"] += len(logs)
        ran, _ = run([PROGRAM, "check", "--isolated", "--format", "json", path])
        if ran.returncode == 2:
            count["refused"] += 1
            continue
        findings = json.loads(ran.stdout)["findings"]
        # A bucket is named, or addressed with its stack before it.
        told[path] = {(each["code"], each["bucket"].split("/")[-1]) for each in findings}
        faults = [each for each in findings if each["severity"] == "error"]
        count["faults"] += len(faults)
        codes[kind].update(each["code"] for each in faults)
        flagged = {bucket for code, bucket in told[path] if code == "S3L009"}
        count["own false alarms"] += sum(bool(buckets[log] & flagged) for log in logs)
        count["own unlogged"] += sum(bool(names & flagged) for names in buckets.values())
    for kind, framework in (("CloudFormation", "cloudformation"), ("Terraform", "terraform_plan")):
        count = tally[kind]
        paths = {str(path.resolve()): path for path, own, _ in given if own == kind}
        _, count["own seconds"] = run([PROGRAM, "check", "--isolated", "--format", "json", *paths])
        command = [CHECKOV, "--framework", framework, "--check", "CKV_AWS_18", "--output", "json", "--quiet", "--skip-download"]
        with tempfile.TemporaryDirectory() as folder:
            named = [word for path in paths for word in ("--file", path)]
            ran, count["seconds"] = run([*command, "--compact", "--soft-fail", *named], folder)
        report = json.loads(ran.stdout)
        for part in report if isinstance(report, list) else [report]:
            for failed in part.get("results", {}).get("failed_checks", []):
                path = paths[str(pathlib.Path(failed["file_abs_path"]).resolve())]
                buckets, logs = next(found for own, _, found in given if own == path)
                address = failed["resource"].removeprefix("AWS::S3::Bucket.")
                count["flagged"] += 1
                if address in logs:
                    count["false alarms"] += 1
                errors = {bucket for code, bucket in told.get(path, ()) if code in codes[kind]}
                if buckets.get(address, {address}) & errors:
                    count["faults flagged"] += 1
    version, _ = run([CHECKOV, "--version"])
    own, _ = run([PROGRAM, "--version"])
    kinds = list(tally)
    print(f"| {own.stdout.strip()} and checkov {version.stdout.strip()} | {' | '.join(kinds)} |")
    print("|---" * (len(kinds) + 1) + "|")

    def row(text, key):
        print(f"| {text} | {' | '.join(str(key(kind)) for kind in kinds)} |")

    row("files with buckets", lambda kind: tally[kind]["files"])
    row("buckets, of which log buckets", lambda kind: f"{tally[kind]['buckets']}, {tally[kind]['log buckets']}")
    row(
        "faults that keep logs from arriving, found by s3log-lint",
        lambda kind: f"{tally[kind]['faults']} ({', '.join(f'{n} {code}' for code, n in sorted(codes[kind].items()))})",
    )
    row("of these, buckets flagged by checkov", lambda kind: tally[kind]["faults flagged"])
    row("log buckets flagged for having no log: s3log-lint", lambda kind: tally[kind]["own false alarms"])
    row("log buckets flagged for having no log: checkov", lambda kind: tally[kind]["false alarms"])
    row("unlogged buckets reported: s3log-lint", lambda kind: tally[kind]["own unlogged"])
    row("unlogged buckets reported: checkov, log buckets left out",
        lambda kind: tally[kind]["flagged"] - tally[kind]["false alarms"])
    row("CPU seconds for all files in one run: s3log-lint", lambda kind: f"{tally[kind]['own seconds']:.2f}")
    row("CPU seconds for all files in one run: checkov", lambda kind: f"{tally[kind]['seconds']:.2f}")
    for kind in kinds:
        if tally[kind]["refused"]:
            print(f"\n{tally[kind]['refused']} files of {kind} were refused by s3log-lint.", file=sys.stderr)


main()
