//! The README's transcript of `enable` is true: the `console sandbox` block is run, command after command, against a
//! sandbox that is seeded from `testdata/unlogged.json`, and prints what is shown.
#![cfg(feature = "aws")]

#[path = "sandbox/mod.rs"]
mod sandbox;
#[path = "transcript/mod.rs"]
mod transcript;

use sandbox::Sandbox;
use transcript::{hold, root, shell};

#[test]
fn the_transcript_from_nothing_to_a_clean_audit_is_what_happens() {
    let seed = std::fs::read_to_string(root().join("testdata/unlogged.json")).expect("the seed is there");
    let sandbox = Sandbox::start(&seed);
    let before = sandbox.dump();
    let folder = tempfile::tempdir().expect("a folder");
    let commands = hold("```console sandbox", |command| {
        let mut shell = shell(command, folder.path());
        shell
            .env("HOME", folder.path())
            .env_remove("XDG_STATE_HOME")
            .envs(sandbox.environment())
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        shell
    });
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README is there");
    // Whatever the words are: logging was switched on, an audit was clean, and it was all taken back.
    assert!(
        readme.contains("\n$ s3log-lint audit\n3 buckets, 2 logging edges:\n  2 deliver "),
        "{commands:?}"
    );
    assert!(sandbox.calls().contains_key("PutBucketLogging"), "{commands:?}");
    assert_eq!(sandbox.dump()["accounts"], before["accounts"], "{commands:?}");
}
