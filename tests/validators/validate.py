"""Holds files against validators that are not ours: validate.py FOLDER

The ending of a file names its format. Prints a line for each fault, and one for each validator that is missing.
"""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(sys.argv[1])
ALL = os.environ.get("S3LOG_LINT_ALL_VALIDATORS") == "1"
NODE = os.environ.get("S3LOG_LINT_NODE_MODULES")
faults, missing, checked = [], set(), 0


def fault(path, text):
    faults.append(f"{path.name}: {text}")


def module(name):
    try:
        return __import__(name, fromlist=["_"])
    except ImportError as error:
        missing.add(f"{name} ({error})")
        return None


def node(path):
    found = NODE and pathlib.Path(NODE) / path
    if found and found.exists():
        return found
    missing.add(f"npm: {path}")
    return None


def sarif(path):
    log = json.loads(path.read_text())
    schema = node("@microsoft/sarif-multitool-linux/sarif-2.1.0.json")
    jsonschema = module("jsonschema")
    if schema and jsonschema:
        validator = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8-sig")))
        for error in validator.iter_errors(log):
            fault(path, f"{error.json_path}: {error.message}")
    # What GitHub refuses, and no validator tells.
    for run in log["runs"]:
        for result in run["results"]:
            places = result["locations"] + result.get("relatedLocations", [])
            for flow in result.get("codeFlows", []):
                places += [step["location"] for thread in flow["threadFlows"] for step in thread["locations"]]
            for place in places:
                if not place["physicalLocation"]["artifactLocation"]["uri"]:
                    fault(path, "a location without a file")
            if not result["partialFingerprints"]["primaryLocationLineHash"]:
                fault(path, "a result without a fingerprint")
    ids = [run["automationDetails"]["id"] for run in log["runs"]]
    if len(set(ids)) != len(ids) or len(ids) > 20:
        fault(path, f"categories {ids}")
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        if not 0 < float(rule["properties"]["security-severity"]) <= 10:
            fault(path, "security-severity")


def sarif_multitool(paths):
    tool = node("@microsoft/sarif-multitool-linux/Sarif.Multitool")
    if not tool or not paths:
        return
    tool.chmod(0o755)
    told = FOLDER / "multitool.json"
    command = [tool, "validate", *paths, "--rule-kind", "Sarif;Ghas", "--output", told]
    ran = subprocess.run(command, capture_output=True, text=True)
    if not told.exists():
        fault(FOLDER, f"the multitool says nothing: {ran.stdout}{ran.stderr}")
        return
    if f"{len(paths)} files scanned" not in ran.stdout:
        fault(FOLDER, f"the multitool didn't read all {len(paths)} files: {ran.stdout}")
    for run in json.loads(told.read_text(encoding="utf-8-sig"))["runs"]:
        for result in run.get("results", []):
            if result.get("level", "warning") == "error":
                fault(FOLDER, f"multitool: {json.dumps(result['message'])} {result.get('locations')}")


def xml(path):
    junitparser = module("junitparser")
    if not junitparser:
        return
    suites = junitparser.JUnitXml.fromfile(str(path))
    told = (suites.tests, suites.failures, suites.skipped, suites.errors)
    cases = [case for suite in suites for case in suite]
    results = [result for case in cases for result in case.result]
    counted = (
        len(cases),
        sum(isinstance(result, junitparser.Failure) for result in results),
        sum(isinstance(result, junitparser.Skipped) for result in results),
        sum(isinstance(result, junitparser.Error) for result in results),
    )
    if told[:3] != counted[:3]:
        fault(path, f"says {told}, has {counted}")


def ocsf(path):
    if not module("py_ocsf_models"):
        return
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding

    for event in json.loads(path.read_text()):
        try:
            DetectionFinding(**event)
        except ValueError as error:
            fault(path, str(error))


def asff(path):
    if not module("botocore"):
        return
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    findings = json.loads(path.read_text())
    for start in range(0, len(findings), 100):
        report = ParamValidator().validate({"Findings": findings[start : start + 100]}, shape)
        if report.has_errors():
            fault(path, report.generate_report())
    for finding in findings:
        if len(json.dumps(finding)) > 240_000 or len(finding["Resources"]) > 32:
            fault(path, "too large")
        if len(finding["Title"]) > 256 or len(finding["Description"]) > 1024:
            fault(path, "too long")
        if not re.fullmatch(r"\d{12}", finding["AwsAccountId"]):
            fault(path, "no account")


def gitlab(path):
    # https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    seen = set()
    for issue in json.loads(path.read_text()):
        if set(issue) != {"description", "check_name", "fingerprint", "severity", "location"}:
            fault(path, f"keys {sorted(issue)}")
        if issue["severity"] not in {"info", "minor", "major", "critical", "blocker"}:
            fault(path, issue["severity"])
        if issue["fingerprint"] in seen:
            fault(path, "a fingerprint twice")
        seen.add(issue["fingerprint"])
        if issue["location"]["path"].startswith(("./", "/")) or issue["location"]["lines"]["begin"] < 1:
            fault(path, str(issue["location"]))


def rdjson(path):
    # https://github.com/reviewdog/reviewdog/blob/master/proto/rdf/jsonschema/DiagnosticResult.json
    result = json.loads(path.read_text())
    for diagnostic in result["diagnostics"]:
        if diagnostic["severity"] not in {"ERROR", "WARNING", "INFO"}:
            fault(path, diagnostic["severity"])
        place = diagnostic["location"]["range"]
        for end in ("start", "end"):
            if place[end]["line"] < 1 or place[end]["column"] < 1:
                fault(path, str(place))


def csv_file(path):
    with path.open(newline="") as file:
        rows = list(csv.reader(file, strict=True))
    if len({len(row) for row in rows}) != 1:
        fault(path, "ragged")
    for row in rows[1:]:
        if any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row):
            fault(path, f"a formula in {row}")


def markdown(path):
    if not module("markdown_it"):
        return
    from markdown_it import MarkdownIt

    allowed = re.compile(r"(<!-- s3log-lint -->|</?details>|</?summary>|</?code>|What to do|\s)*")
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def walk(tokens):
        for token in tokens:
            if token.type in {"link_open", "image", "em_open", "strong_open", "s_open", "table_open"}:
                fault(path, f"{token.type}: {token.content} {token.attrs}")
            if token.type in {"html_block", "html_inline"} and not allowed.fullmatch(token.content):
                fault(path, f"HTML: {token.content!r}")
            walk(token.children or [])

    tokens = parser.parse(path.read_text())
    walk(tokens)
    if sum(token.type == "heading_open" and token.tag in {"h1", "h2"} for token in tokens) != 1:
        fault(path, "a heading too many")


def securityhub(path):
    if not module("botocore"):
        return
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("CreateAutomationRule").input_shape
    rules = json.loads(path.read_text())
    if not rules:
        fault(path, "no rule")
    for rule in rules:
        report = ParamValidator().validate(rule, shape)
        if report.has_errors():
            fault(path, report.generate_report())


def mutelist(path):
    yaml = module("yaml")
    if not yaml:
        return
    read = yaml.safe_load(path.read_text())
    for account, checks in read["Mutelist"]["Accounts"].items():
        if account != "*" and not re.fullmatch(r"\d{12}", account):
            fault(path, f"account {account!r}")
        for check, muted in checks["Checks"].items():
            if not re.fullmatch(r"s3_bucket_[a-z_]+", check) or set(muted) != {"Regions", "Resources", "Description"}:
                fault(path, f"{check}: {muted}")
            for pattern in muted["Resources"]:
                re.compile(pattern)


def trivyignore(path):
    yaml = module("yaml")
    if not yaml:
        return
    for ignored in yaml.safe_load(path.read_text())["misconfigurations"]:
        if set(ignored) != {"id", "paths", "statement"}:
            fault(path, f"{ignored}")


CHECKS = {
    ".securityhub": securityhub,
    ".mutelist": mutelist,
    ".trivyignore": trivyignore,
    ".sarif": sarif,
    ".junit": xml,
    ".ocsf": ocsf,
    ".asff": asff,
    ".gitlab": gitlab,
    ".rdjson": rdjson,
    ".csv": csv_file,
    ".markdown": markdown,
}

for path in sorted(FOLDER.iterdir()):
    if check := CHECKS.get(path.suffix):
        checked += 1
        try:
            check(path)
        except Exception as error:  # A validator that fails has found a fault too.
            fault(path, f"{type(error).__name__}: {error}")
sarif_multitool(sorted(FOLDER.glob("*.sarif")))

for name in sorted(missing):
    print(f"{'missing' if ALL else 'skipped, missing'}: {name}")
for text in faults:
    print(text)
print(f"{checked} files checked, {len(faults)} faults")
sys.exit(bool(faults) or (ALL and bool(missing)))
