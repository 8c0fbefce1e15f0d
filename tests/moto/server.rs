//! A server of moto, for as long as a test runs.

use std::ffi::OsString;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

pub struct Server {
    process: Child,
    pub endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python that has `moto[server]`, where one is named.
pub fn python() -> Option<OsString> {
    let python = std::env::var_os("S3LOG_LINT_PYTHON");
    if python.is_none() {
        eprintln!("skipped: S3LOG_LINT_PYTHON names no Python that has moto[server]");
    }
    python
}

impl Server {
    pub fn start(python: &OsString) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let process = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Python that was named starts");
        let server = Self {
            process,
            endpoint: format!("http://127.0.0.1:{port}"),
        };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("moto doesn't answer on port {port}");
    }

    /// The program, with credentials for this server and nobody else's.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
        command
    }

    /// Makes what the script of this name makes.
    pub fn seed(&self, python: &OsString, script: &str, arguments: &[&str]) {
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/moto")
            .join(script);
        let output: Output = Command::new(python)
            .arg(script)
            .arg(&self.endpoint)
            .args(arguments)
            .output()
            .expect("the script starts");
        assert!(
            output.status.success(),
            "the account is not seeded: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
