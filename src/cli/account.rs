//! The live account: opens a session, asks, and shows how far it is.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Once};

use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::arguments::{AccountArguments, CONCURRENCY};
use super::error::Error;
use super::input::Scope;
use super::output::Console;
use super::progress::Progress;
use crate::aws::{self, Access, Fetched, Options, Request, Role, Session};
use crate::collect::snapshot::Snapshot;
use crate::name::Region;

/// Buckets per page of the list.
const PAGE_SIZE: i32 = 1000;

/// Asks AWS everything that the rules may need.
pub fn fetch(arguments: &AccountArguments, scope: &Scope, console: &Console) -> Result<Snapshot, Error> {
    block_on(async {
        let session = open(arguments, Access::ReadOnly).await?;
        let selects = |name: &str, region: Option<&Region>| scope.selects(name, region);
        let request = Request {
            selects: &selects,
            names: scope.names(),
            concurrency: usize::from(arguments.concurrency.unwrap_or(CONCURRENCY)),
            tags: arguments.bucket_tags,
            page_size: PAGE_SIZE,
            outlook: scope.outlook(),
        };
        let mut progress = Progress::new(console);
        let fetched = aws::fetch(&session, &request, &mut |status| progress.show(status)).await;
        progress.clear();
        for (operation, count) in session.meter().by_operation() {
            console.detail(&format!("{count} × {operation}"));
        }
        let Fetched {
            snapshot,
            no_identity,
        } = fetched?;
        if let Some(refusal) = no_identity {
            console.remark(&format!(
                "the account's id is unknown, since GetCallerIdentity failed ({})",
                refusal.code
            ));
        }
        Ok(snapshot)
    })
}

/// A session with the account that the arguments name.
pub async fn open(arguments: &AccountArguments, access: Access) -> Result<Session, Error> {
    let region = arguments.region.first().and_then(|text| Region::parse(text).ok());
    let options = Options {
        profile: arguments.profile.clone(),
        region,
        endpoint_url: arguments.endpoint_url.clone(),
        role: arguments.role_arn.clone().map(|arn| Role {
            arn,
            external_id: arguments.external_id.clone(),
        }),
        access,
        ..Options::default()
    };
    Ok(Session::open(&options).await?)
}

static INTERRUPT: LazyLock<Notify> = LazyLock::new(Notify::new);
static WORKING: AtomicBool = AtomicBool::new(false);
static LISTENER: Once = Once::new();

/// Runs a future to its end, or until Ctrl-C: then what is on the way is dropped.
pub fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    listen();
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    WORKING.store(true, Ordering::SeqCst);
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = future => outcome,
            () = INTERRUPT.notified() => Err(Error::Interrupted),
        }
    });
    WORKING.store(false, Ordering::SeqCst);
    // A name that is being looked up can't be called off; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

/// Runs a future to its end: Ctrl-C only sets the flag, at which it stops where that leaves nothing half done.
pub fn block_on_to_the_end<T>(
    interrupted: &AtomicBool,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    listen();
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    WORKING.store(true, Ordering::SeqCst);
    let outcome = runtime.block_on(async {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                outcome = &mut future => return outcome,
                () = INTERRUPT.notified() => interrupted.store(true, Ordering::SeqCst),
            }
        }
    });
    WORKING.store(false, Ordering::SeqCst);
    runtime.shutdown_background();
    outcome
}

/// Once a process listens for Ctrl-C, the signal never ends it by itself again: so there is always someone who does.
fn listen() {
    LISTENER.call_once(|| {
        let listener = std::thread::Builder::new().name("interrupt".to_owned());
        let spawned = listener.spawn(|| {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    // The second one doesn't wait for the first.
                    if WORKING.swap(false, Ordering::SeqCst) {
                        INTERRUPT.notify_one();
                    } else {
                        std::process::exit(130);
                    }
                }
            });
        });
        // Without a listener, Ctrl-C ends the process as it always does.
        drop(spawned);
    });
}
