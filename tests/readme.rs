//! The README is true: every `console` block in it is run, and prints what is shown.

#[path = "transcript/mod.rs"]
mod transcript;

use transcript::{hold, root, shell};

#[test]
fn every_console_block_prints_what_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    for example in std::fs::read_dir(root().join("testdata")).expect("the examples are there") {
        let example = example.expect("an entry").path();
        if example.is_file() {
            std::fs::copy(&example, folder.path().join(example.file_name().expect("a name")))
                .expect("a copy");
        }
    }
    let commands = hold("```console", |command| shell(command, folder.path()));
    assert!(commands.len() >= 3, "the README shows {commands:?}");
}
