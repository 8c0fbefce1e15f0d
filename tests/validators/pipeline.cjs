// Holds reports against what the services' own libraries make of them: pipeline.cjs NODE_MODULES FILE...
//
// The ending of a file names its format. Prints a line for each fault; a library that is missing ends it with an error.

const fs = require("node:fs");
const path = require("node:path");

const [modules, ...files] = process.argv.slice(2);
const load = (name) => require(path.join(path.resolve(modules), name));

/** The lines that a runner obeys, and whether each is one that we mean to give. */
function commands(text, sign, known) {
  const obeyed = text.split(/\r\n|\r|\n/).filter((line) => line.trimStart().startsWith(sign));
  const odd = obeyed.filter((line) => !known.test(line));
  return [obeyed, odd.map((line) => `an unknown command: ${line}`)];
}

/** GitHub's own library writes a command from its parts: the same bytes, or ours are escaped in another way. */
function github(text) {
  const { issueCommand } = load("@actions/core/lib/command.js");
  const [obeyed, faults] = commands(text, "::", /^::(error|warning|notice) /);
  const unescaped = (value) =>
    value.replace(/%0D/g, "\r").replace(/%0A/g, "\n").replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%25/g, "%");
  const kinds = {};
  for (const line of obeyed) {
    // As the runner cuts it: the name to the first space, the properties to the next `::`.
    const [, name, given, message] = /^::([a-z]+) (.*?)::(.*)$/s.exec(line) ?? [];
    if (name === undefined) {
      faults.push(`the runner finds no command in ${line}`);
      continue;
    }
    kinds[name] = (kinds[name] ?? 0) + 1;
    const properties = {};
    for (const pair of given.split(",")) {
      const [key, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      if (!["file", "line", "endLine", "col", "endColumn", "title"].includes(key) || key in properties) {
        faults.push(`the property ${key} in ${line}`);
      }
      if (/line|col/i.test(key) && !(Number(value) >= 1)) faults.push(`${key} is ${value}`);
      properties[key] = unescaped(value);
    }
    const data = message.replace(/%0D/g, "\r").replace(/%0A/g, "\n").replace(/%25/g, "%");
    const write = process.stdout.write;
    let written = "";
    process.stdout.write = (chunk) => (written += chunk);
    issueCommand(name, properties, data);
    process.stdout.write = write;
    if (written.trimEnd() !== line.trimEnd()) faults.push(`${line} would be ${written}`);
  }
  for (const [kind, times] of Object.entries(kinds)) {
    if (times > 10) faults.push(`${times} annotations of the kind ${kind}`);
  }
  return faults;
}

/** Azure's own library reads a command, and writes it again from what it read. */
function azure(text) {
  const { commandFromString } = load("azure-pipelines-task-lib/taskcommand.js");
  const [obeyed, faults] = commands(text, "##", /^##vso\[task\.logissue /);
  for (const line of obeyed) {
    const command = commandFromString(line);
    const { type, linenumber = "1", columnnumber = "1", code, ...rest } = command.properties;
    delete rest.sourcepath;
    if (command.command !== "task.logissue" || Object.keys(rest).length > 0) faults.push(`${line}: ${Object.keys(rest)}`);
    if (!["error", "warning"].includes(type) || !/^S3L\d{3}$/.test(code)) faults.push(`${type} ${code} in ${line}`);
    if (!(Number(linenumber) >= 1 && Number(columnnumber) >= 1)) faults.push(`the place in ${line}`);
    if (command.message === "" || /##(vso)?\[/i.test(command.message)) faults.push(`the message of ${line}`);
    if (command.toString() !== line) faults.push(`${line} would be ${command}`);
  }
  return faults;
}

async function rdjson(text) {
  const { validate } = load("@umbrelladocs/rdformat-validator");
  const result = JSON.parse(text);
  const faults = [];
  // The validator knows an object with diagnostics only where there is one.
  if (result.diagnostics.length > 0) {
    const told = await validate(text);
    faults.push(...[...told.errors, ...told.warnings].map((each) => `${each.path}: ${each.message}`));
  }
  return faults;
}

/** GitLab takes a part of Code Climate's issues, which have published types: all files in one run of the compiler. */
function gitlab(reports) {
  const ts = load("typescript");
  const from = JSON.stringify(path.join(path.resolve(modules), "codeclimate-types/index"));
  const sources = new Map();
  for (const [name, text] of reports) {
    const source = `import type { Issue } from ${from}
type OfGitlab = Required<Pick<Issue, "description" | "check_name" | "fingerprint" | "severity">>
  & { location: Extract<Issue["location"], { lines: unknown }> }
export const issues: OfGitlab[] = ${text}`;
    sources.set(path.join(path.resolve(modules), `${name}.ts`), source);
  }
  const options = { strict: true, noEmit: true, types: [], lib: ["lib.es2022.d.ts"], skipLibCheck: true };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, ...rest) =>
    sources.has(file)
      ? ts.createSourceFile(file, sources.get(file), ts.ScriptTarget.ES2022)
      : getSourceFile(file, ...rest);
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((each) => {
    const name = path.basename(each.file?.fileName ?? "", ".ts");
    return `${name}: ${ts.flattenDiagnosticMessageText(each.messageText, " ")}`;
  });
}

const CHECKS = { ".github": github, ".azure": azure, ".rdjson": rdjson };

(async () => {
  const reports = [];
  for (const file of files) {
    const [name, text] = [path.basename(file), fs.readFileSync(file, "utf8")];
    const check = CHECKS[path.extname(file)];
    if (check === undefined) reports.push([name, text]);
    else for (const fault of await check(text)) console.log(`${name}: ${fault}`);
  }
  for (const fault of gitlab(reports)) console.log(fault);
  console.log(`${files.length} files read`);
})();
