//! Terraform's files → inventories: real ones, and generated ones whose truth is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use s3log_lint::collect::deployment::Deployment;
use s3log_lint::collect::{encoding, kind, overlay, terraform};
use s3log_lint::inventory::{Fact, Inventory, Places, TargetRef};
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/terraform");
    let there = path.is_dir();
    if !there {
        eprintln!("skipped: the corpus is not there");
    }
    there.then_some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Result<Deployment, String> {
    let bytes = std::fs::read(path).expect("a file");
    let text = encoding::decode(bytes).map_err(|error| error.to_string())?;
    read_text(&path.display().to_string(), &text)
}

fn read_text(path: &str, text: &str) -> Result<Deployment, String> {
    let recognised = kind::recognise(text).map_err(|error| error.to_string())?;
    terraform::read(path, text, recognised).map_err(|error| error.to_string())
}

/// Where each source's logs go, as far as it is known.
fn edges(inventory: &Inventory) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let mut edges = BTreeMap::new();
    for bucket in inventory.accounts.iter().flat_map(|account| &account.buckets) {
        if let Fact::Known(logging) = &bucket.logging {
            let target = logging.target.known().map(|target| target.text().to_owned());
            edges.insert(
                bucket.label.to_string(),
                (target, logging.prefix.known().cloned()),
            );
        }
    }
    edges
}

/// The name of each bucket of a state, by its address.
fn names(state: &Value, names: &mut BTreeMap<String, String>) {
    for resource in state["resources"].as_array().into_iter().flatten() {
        if resource["type"] == "aws_s3_bucket" && resource["mode"] == "managed" {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            names.insert(text(&resource["address"]), text(&resource["values"]["bucket"]));
        }
    }
    for child in state["child_modules"].as_array().into_iter().flatten() {
        self::names(child, names);
    }
}

#[test]
fn every_file_is_read_or_refused_with_a_reason() {
    let Some(corpus) = corpus() else { return };
    let (mut read_files, mut refused) = (0, Vec::new());
    for path in files(&corpus)
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end != "md"))
    {
        match read(path) {
            Ok(deployment) => {
                let _ = overlay::alone(std::slice::from_ref(&deployment));
                let _ = overlay::before(&[deployment]);
                read_files += 1;
            }
            Err(reason) => refused.push(format!("{}: {reason}", path.display())),
        }
    }
    println!("{read_files} read, refused: {refused:#?}");
    assert!(read_files >= 180, "{read_files} read, refused: {refused:#?}");
    // The corpus' own list of its files is the only one that is none of Terraform's.
    assert!(refused.len() <= 1, "{refused:#?}");
}

#[test]
fn a_plan_tells_the_edges_that_are_there_after_it() {
    let Some(corpus) = corpus() else { return };
    let (mut right, mut unknown, mut wrong) = (0, Vec::new(), Vec::new());
    for plan in files(&corpus.join("generated")) {
        let name = plan.display().to_string();
        let Some(stem) = name
            .strip_suffix(".plan.json")
            .or_else(|| name.strip_suffix(".replan.json"))
        else {
            continue;
        };
        let Ok(state) = std::fs::read_to_string(format!("{stem}.state.json")) else {
            continue;
        };
        let mut by_address = BTreeMap::new();
        let state: Value = serde_json::from_str(&state).expect("a state");
        names(&state["values"]["root_module"], &mut by_address);
        let truth = read(Path::new(&format!("{stem}.state.json"))).expect("a state");
        let truth = edges(&overlay::alone(&[truth]));
        let told = read(&plan).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let named = |label: String| by_address.get(&label).cloned().unwrap_or(label);
        let mut told: BTreeMap<String, _> = edges(&overlay::alone(&[told]))
            .into_iter()
            .map(|(source, (target, prefix))| (named(source), (target.map(named), prefix)))
            .collect();
        for (source, (target, prefix)) in truth {
            let Some((told_target, told_prefix)) = told.remove(&source) else {
                wrong.push(format!("{name}: {source} -> {target:?} is not found"));
                continue;
            };
            match (told_target, told_prefix) {
                (None, _) => unknown.push(format!("{name}: the target of {source}, {target:?}")),
                (Some(_), None) if target.is_none() => right += 1,
                (told, None) if told == target => unknown.push(format!("{name}: the prefix of {source}")),
                (told, told_prefix) if told == target && told_prefix == prefix => right += 1,
                told => wrong.push(format!("{name}: {source} -> {told:?}, not {target:?} {prefix:?}")),
            }
        }
        // What a plan forgets stays in AWS, and the state no longer tells.
        let forgets = std::fs::read_to_string(&plan)
            .expect("a plan")
            .contains("\"forget\"");
        let more = told.into_iter().filter(|_| !forgets);
        wrong.extend(more.map(|edge| format!("{name}: {edge:?} will not be there")));
    }
    println!("{right} right, unknown: {unknown:#?}");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(right >= 60, "{right}");
}

#[test]
fn a_state_says_the_same_in_both_of_its_forms() {
    let Some(corpus) = corpus() else { return };
    let mut compared = 0;
    for path in files(&corpus.join("generated")) {
        let name = path.display().to_string();
        if let Some(stem) = name.strip_suffix(".tfstate") {
            let raw = read(&path).unwrap_or_else(|reason| panic!("{name}: {reason}"));
            let shown = read(Path::new(&format!("{stem}.state.json"))).expect("a state");
            let told = |deployment| -> BTreeMap<String, _> {
                let inventory = overlay::alone(&[deployment]);
                let buckets = inventory.accounts.iter().flat_map(|account| &account.buckets);
                buckets
                    .map(|bucket| {
                        let mut settings = bucket.settings().clone();
                        settings.places = Places::default();
                        let policy = settings.policy.clone().map(|policy| policy.text.to_string());
                        settings.policy = Fact::Absent;
                        let logging = bucket.logging.clone().map(|logging| {
                            let target = logging.target.map(|target: TargetRef| target.text().to_owned());
                            (target, logging.prefix, logging.key_format)
                        });
                        (
                            bucket.label.to_string(),
                            format!("{logging:?} {policy:?} {settings:?} {:?}", bucket.region),
                        )
                    })
                    .collect()
            };
            assert_eq!(told(raw), told(shown), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn damage_is_refused_or_read_and_never_a_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/terraform");
    for name in ["source/plan.json", "sensitive.plan.json"] {
        let whole = std::fs::read_to_string(folder.join(name)).expect("a plan");
        let step = whole.len() / 200 + 1;
        for end in (0..whole.len() - 3).step_by(step) {
            assert!(read_text(name, &whole[..end]).is_err(), "{name} cut at {end}");
        }
        // Every word in turn is another one: of the wrong type, unknown, or missing.
        for word in [
            "\"bucket\"",
            "\"references\"",
            "\"create\"",
            "\"change\"",
            "\"after\"",
            "true",
            "null",
            "[",
            "{}",
        ] {
            for other in ["\"x\"", "7", "null", "{\"a\": [true]}", "\"\"", "[[]]"] {
                for (at, _) in whole.match_indices(word) {
                    let damaged = format!("{}{other}{}", &whole[..at], &whole[at + word.len()..]);
                    if let Ok(deployment) = read_text(name, &damaged) {
                        let _ = overlay::alone(std::slice::from_ref(&deployment));
                        let _ = overlay::before(&[deployment]);
                    }
                }
            }
        }
    }
}

#[test]
fn depth_and_repeated_keys_are_refused_with_their_place() {
    let deep = |value: String| {
        format!(
            r#"{{"format_version":"1.2","resource_changes":[{{"address":"aws_s3_bucket.a","mode":"managed","type":"aws_s3_bucket","name":"a",
                "change":{{"actions":["create"],"before":null,"after":{{"bucket":"a-bucket","tags":{value}}},"after_unknown":{{}}}}}}]}}"#
        )
    };
    assert!(read_text("plan.json", &deep("{}".to_owned())).is_ok());
    for depth in [200, 100_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let told = read_text("plan.json", &deep(nested)).expect_err("it is too deep");
        assert!(told.contains("line 2") && told.contains("recursion"), "{told}");
    }
    let twice = r#"{"format_version":"1.2","resource_changes":[],"resource_changes":[]}"#;
    let told = read_text("plan.json", twice).expect_err("it says two things");
    assert!(told.contains("duplicate"), "{told}");
}
