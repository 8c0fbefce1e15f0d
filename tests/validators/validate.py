"""Holds files against validators that are not ours: validate.py FOLDER

The ending of a file names its format. Prints a line for each fault, and one for each validator that is missing.
"""

import csv
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

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


def expect(path, what, told, limit=None):
    """Every format tells of as many as the versioned report of the same run does."""
    report = json.loads(path.with_suffix(".json").read_text())
    true = {
        "findings": len(report["findings"]),
        "undecided": len(report["undecided"]),
        "all": len(report["findings"]) + len(report["undecided"]),
    }[what]
    if told != (true if limit is None else min(true, limit)):
        fault(path, f"tells of {told} {what}, and there are {true}")


def is_relative(uri):
    parts = urllib.parse.urlsplit(uri)
    plain = urllib.parse.quote(urllib.parse.unquote(parts.path), safe="/")
    alone = not (parts.scheme or parts.netloc or parts.query or parts.fragment)
    return alone and plain == uri and not uri.startswith(("/", "./")) and ".." not in uri.split("/")


def sarif(path):
    log = json.loads(path.read_text())
    schema = node("@microsoft/sarif-multitool-linux/sarif-2.1.0.json")
    jsonschema = module("jsonschema")
    if schema and jsonschema:
        validator = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8-sig")))
        for error in validator.iter_errors(log):
            fault(path, f"{error.json_path}: {error.message}")
    # What GitHub refuses or drops, and no validator tells.
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        fingerprints = set()
        for result in run["results"]:
            places = result["locations"] + result.get("relatedLocations", [])
            for flow in result.get("codeFlows", []):
                places += [step["location"] for thread in flow["threadFlows"] for step in thread["locations"]]
            for place in places:
                uri = place["physicalLocation"]["artifactLocation"]["uri"]
                if not uri or not is_relative(uri):
                    fault(path, f"a location in the file {uri!r}")
                region = place["physicalLocation"]["region"]
                start, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
                if min(start + end) < 1 or start > end:
                    fault(path, f"the region {region}")
            if len(places) > 1_000 or not result["message"]["text"]:
                fault(path, f"{len(places)} locations, message {result['message']}")
            if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
                fault(path, f"ruleIndex {result['ruleIndex']} of {result['ruleId']}")
            fingerprint = result["partialFingerprints"]["primaryLocationLineHash"]
            if not fingerprint or fingerprint in fingerprints:
                fault(path, f"the fingerprint {fingerprint!r}")
            fingerprints.add(fingerprint)
        if len(run["results"]) > 25_000:
            fault(path, f"{len(run['results'])} results")
    if all(len(run["results"]) < 25_000 for run in log["runs"]):
        expect(path, "findings", sum(len(run["results"]) for run in log["runs"]))
    ids = [run["automationDetails"]["id"] for run in log["runs"]]
    if len(set(ids)) != len(ids) or len(ids) > 20:
        fault(path, f"categories {ids}")
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        for text in ("shortDescription", "fullDescription"):
            if not 0 < len(rule[text]["text"]) <= 1_024:
                fault(path, f"{text} of {rule['id']}")
        if not 0 < float(rule["properties"]["security-severity"]) <= 10:
            fault(path, "security-severity")


def sarif_multitool(paths):
    tool = node("@microsoft/sarif-multitool-linux/Sarif.Multitool")
    if not tool or not paths:
        return
    tool.chmod(0o755)
    told = FOLDER / "multitool.json"
    command = [tool, "validate", *paths, "--rule-kind", "Sarif;Ghas", "--output", told, "--max-file-size-in-kb", "100000"]
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


def pipelines(paths):
    """The services' own libraries, of npm."""
    packages = [
        "@actions/core",
        "azure-pipelines-task-lib",
        "@umbrelladocs/rdformat-validator",
        "codeclimate-types",
        "typescript",
    ]
    if not paths or not all([node(package) for package in packages]):
        return
    script = pathlib.Path(__file__).parent / "pipeline.cjs"
    ran = subprocess.run(["node", script, NODE, *paths], capture_output=True, text=True)
    *told, last = ran.stdout.splitlines() or [""]
    if ran.returncode != 0 or last != f"{len(paths)} files read":
        fault(FOLDER, f"{script.name} failed: {last} {ran.stderr}")
    faults.extend(told)


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
    if told != counted:
        fault(path, f"says {told}, has {counted}")
    expect(path, "findings", counted[1])


@functools.cache
def ocsf_schema():
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    schema = schemas.get_class_schema(class_name="detection_finding", profiles=["cloud", "datetime"])
    return jsonschema.Draft202012Validator(schema)


def ocsf(path):
    if not module("py_ocsf_models"):
        return
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding

    events = json.loads(path.read_text())
    expect(path, "all", len(events))
    if len({event["finding_info"]["uid"] for event in events}) != len(events):
        fault(path, "a finding twice")
    # Stricter than those models: the published schema, which knows no further attributes.
    if module("jsonschema") and module("ocsf_json_schema"):
        for error in (error for event in events for error in ocsf_schema().iter_errors(event)):
            fault(path, f"{error.json_path}: {error.message}")
    for event in events:
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
    if len({finding["Id"] for finding in findings}) != len(findings):
        fault(path, "a finding twice")
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
    issues = json.loads(path.read_text())
    expect(path, "all", len(issues))
    for issue in issues:
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
    expect(path, "all", len(result["diagnostics"]))
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
    expect(path, "all", len(rows) - 1)
    for row in rows[1:]:
        if any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row):
            fault(path, f"a formula in {row}")


def lines(path):
    """Each line is a whole document of its own."""
    kinds = [json.loads(line)["type"] for line in path.read_text().splitlines()]
    expect(path, "findings", kinds.count("finding"))
    expect(path, "undecided", kinds.count("undecided"))


def azure(path):
    expect(path, "all", sum(line.startswith("##vso[task.logissue ") for line in path.read_text().splitlines()))


def markdown(path):
    if len(path.read_bytes()) > 1 << 20:
        fault(path, "more than GitHub takes for a job summary")
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
    ".jsonl": lines,
    ".azure": azure,
}

for path in sorted(FOLDER.iterdir()):
    if check := CHECKS.get(path.suffix):
        checked += 1
        try:
            check(path)
        except Exception as error:  # A validator that fails has found a fault too.
            fault(path, f"{type(error).__name__}: {error}")
sarif_multitool(sorted(FOLDER.glob("*.sarif")))
pipelines([path for path in sorted(FOLDER.iterdir()) if path.suffix in {".github", ".azure", ".rdjson", ".gitlab"}])

for name in sorted(missing):
    print(f"{'missing' if ALL else 'skipped, missing'}: {name}")
for text in faults:
    print(text)
print(f"{checked} files checked, {len(faults)} faults")
sys.exit(bool(faults) or (ALL and bool(missing)))
