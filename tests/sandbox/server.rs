//! The server: takes requests, decides their fate, checks who asks from where, and passes them on.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::account::{REGIONS, account_of, list_buckets};
use super::answer::{Answer, Fault};
use super::faults::{Fate, Kind};
use super::operation::{self, Level, Operation};
use super::request::{Request, Scope};
use super::{Call, State, locked, read, sts, write};

/// More than any request of a control plane, and than any probe.
const LARGEST_BODY: usize = 16 << 20;

/// The thread that serves.
pub struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    pub fn stop(self) {
        // It may have ended by itself; then nobody listens, and there is nothing to stop.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

/// Listens on 127.0.0.1 and nowhere else.
pub fn start(port: u16, state: Arc<Mutex<State>>) -> std::io::Result<(SocketAddr, Running)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, state) => {}
                    _ = stopped => {}
                }
            });
        })?;
    Ok((address, Running { stop, thread }))
}

async fn accept(listener: std::net::TcpListener, state: Arc<Mutex<State>>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&state)));
            }
            // Out of file descriptors, for example: the next moment may be better.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// The connection is to be reset instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("reset")]
struct Reset;

async fn connection(stream: TcpStream, state: Arc<Mutex<State>>) {
    // A second handle on the socket, to reset it when hyper has let go of the first.
    let Ok((stream, twin)) = twins(stream) else { return };
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { respond(request, state).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if served.is_err() {
        // Closing with no linger makes the kernel send a reset.
        let _ = twin.set_zero_linger();
    }
}

fn twins(stream: TcpStream) -> std::io::Result<(TcpStream, TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let twin = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, TcpStream::from_std(twin)?))
}

async fn respond(
    request: hyper::Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<hyper::Response<Full<Bytes>>, Reset> {
    let (parts, body) = request.into_parts();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let host = headers
        .iter()
        .find(|(name, _)| name == "host")
        .map_or(String::new(), |(_, value)| value.clone());
    let body = Limited::new(body, LARGEST_BODY)
        .collect()
        .await
        .map_err(|_| Reset)?
        .to_bytes();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let request = Request::new(parts.method.as_str(), &host, target, headers, body);
    if let Some(answer) = about_itself(&request, &state) {
        return Ok(sent(answer, 0, &request));
    }
    let arrival = arrived(&request, &state);
    if !arrival.latency.is_zero() {
        tokio::time::sleep(arrival.latency).await;
    }
    if arrival.fate.reset_before {
        return Err(Reset);
    }
    let request_id = format!("{:016X}", arrival.number);
    let answer = match (&arrival.fate.code, arrival.operation) {
        (Some(code), _) => Err(injected(code, &request)),
        (None, None) => Err(Fault::new(
            501,
            "NotImplemented",
            "The sandbox does not know this operation",
        )),
        (None, Some(operation)) => {
            let mut state = locked(&state);
            answer(&mut state, operation, &request, &request_id)
        }
    };
    if arrival.fate.reset_after {
        return Err(Reset);
    }
    let is_sts = arrival
        .operation
        .is_some_and(|operation| operation.level == Level::Sts);
    let answer = answer.unwrap_or_else(|fault| {
        if is_sts {
            fault.sts(&request_id)
        } else {
            fault.s3(&request_id, request.method == "HEAD")
        }
    });
    if let Some(index) = arrival.index
        && let Some(call) = locked(&state).calls.get_mut(index)
    {
        call.status = Some(answer.status);
    }
    Ok(sent(answer, arrival.number, &request))
}

fn injected(code: &str, request: &Request) -> Fault {
    Fault::of_code(code, request.bucket.as_deref())
}

/// A request that was counted.
struct Arrival {
    number: u64,
    index: Option<usize>,
    operation: Option<&'static Operation>,
    latency: Duration,
    fate: Fate,
}

fn arrived(request: &Request, state: &Mutex<State>) -> Arrival {
    let scope = request.scope();
    let is_sts = request.bucket.is_none() && request.method == "POST";
    let operation = if is_sts {
        sts::asked(request)
    } else {
        operation::asked(&request.method, request.level(), &request.query)
    };
    let mut guard = locked(state);
    let state = &mut *guard;
    state.number += 1;
    let number = state.number;
    let latency = state.faults.latency;
    let Some(operation) = operation else {
        return Arrival {
            number,
            index: None,
            operation: None,
            latency,
            fate: Fate::default(),
        };
    };
    state.visit(operation, request.bucket.as_deref());
    let mut fate = state
        .faults
        .fate(number, operation.name, request.bucket.as_deref());
    for planned in &mut state.planned {
        if !planned.due(operation.writes()) {
            continue;
        }
        match planned.kind {
            Kind::Refused => fate.code = Some("AccessDenied".to_owned()),
            Kind::Throttled => fate.code = Some("SlowDown".to_owned()),
            Kind::ResetBefore => fate.reset_before = true,
            Kind::ResetAfter => fate.reset_after = true,
        }
    }
    state.calls.push(Call {
        operation: operation.name,
        bucket: request.bucket.clone(),
        account: scope
            .as_ref()
            .and_then(|scope| account_of(&state.world, &scope.access_key).ok())
            .map(str::to_owned),
        region: scope.map(|scope| scope.region),
        writes: operation.writes(),
        status: None,
        expected_owner: request.header("x-amz-expected-bucket-owner").map(str::to_owned),
    });
    Arrival {
        number,
        index: Some(state.calls.len() - 1),
        operation: Some(operation),
        latency,
        fate,
    }
}

/// `/_sandbox/snapshot` and `/_sandbox/calls`: a bucket's name has no underscore.
fn about_itself(request: &Request, state: &Mutex<State>) -> Option<Answer> {
    let state = locked(state);
    let told = match request.path.as_str() {
        "/_sandbox/snapshot" => state.world.dump(),
        "/_sandbox/calls" => {
            let mut counts = std::collections::BTreeMap::<_, u64>::new();
            for call in &state.calls {
                *counts.entry(call.operation).or_default() += 1;
            }
            serde_json::json!({"total": state.calls.len(), "calls": counts})
        }
        _ => return None,
    };
    Some(Answer::text(200, "application/json", format!("{told:#}\n")))
}

fn sent(answer: Answer, number: u64, request: &Request) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::builder()
        .status(answer.status)
        .header("x-amz-request-id", format!("{number:016X}"))
        .header("x-amz-id-2", super::HOST_ID)
        .header("server", "AmazonS3");
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let body = if request.method == "HEAD" {
        Bytes::new()
    } else {
        answer.body
    };
    response.body(Full::new(body)).unwrap_or_else(|_| {
        // A name that can't stand in a header.
        let mut refused = hyper::Response::new(Full::new(Bytes::new()));
        *refused.status_mut() = hyper::StatusCode::BAD_REQUEST;
        refused
    })
}

/// The answer to a call whose fate is not to fail.
fn answer(
    state: &mut State,
    operation: &'static Operation,
    request: &Request,
    request_id: &str,
) -> Result<Answer, Fault> {
    let Some(scope) = request.scope() else {
        return Err(Fault::access_denied());
    };
    match operation.name {
        "GetCallerIdentity" => {
            return sts::get_caller_identity(&state.world, &scope.access_key, request_id);
        }
        "AssumeRole" => return sts::assume_role(&state.world, request, &scope.access_key, request_id),
        _ => {}
    }
    if !REGIONS.contains(&scope.region.as_str()) || scope.service != "s3" {
        return Err(wrong_scope(&scope, "us-east-1"));
    }
    let account = account_of(&state.world, &scope.access_key)?.to_owned();
    let Some(name) = request.bucket.as_deref() else {
        permitted(state, &scope, operation.action, "*")?;
        return list_buckets(&state.world, request, &account, &scope.region);
    };
    let partition = state.world.partition(&account).to_owned();
    let resource = match &request.key {
        None => format!("arn:{partition}:s3:::{name}"),
        Some(key) => format!("arn:{partition}:s3:::{name}/{key}"),
    };
    if operation.name == "CreateBucket" {
        for action in write::actions_of_create(request) {
            permitted(state, &scope, action, &resource)?;
        }
        return write::create_bucket(&mut state.world, request, name, &account, &scope.region);
    }
    let bucket = state
        .world
        .buckets
        .get(name)
        .ok_or_else(|| missing(name, operation))?;
    if bucket.region != scope.region && operation.name != "GetBucketLocation" {
        return Err(elsewhere(state, name, &bucket.region, &scope, &request.host));
    }
    let region = bucket.region.clone();
    let refused = |fault: Fault| {
        if operation.name == "HeadBucket" {
            fault.header("x-amz-bucket-region", region.clone())
        } else {
            fault
        }
    };
    if let Some(expected) = request.header("x-amz-expected-bucket-owner") {
        if expected.len() != 12 || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::new(
                400,
                "InvalidBucketOwnerAWSAccountID",
                format!(
                    "The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
                ),
            ));
        }
        if expected != bucket.owner {
            return Err(refused(Fault::access_denied()));
        }
    }
    if bucket.owner != account {
        return Err(refused(Fault::access_denied()));
    }
    permitted(state, &scope, operation.action, &resource).map_err(refused)?;
    let bucket = &state.world.buckets[name];
    match operation.name {
        "HeadBucket" => read::head(&state.world, name, bucket),
        "ListObjectsV2" => read::list_objects(name, bucket, request),
        "GetObject" | "HeadObject" => {
            let key = request.key.as_deref().unwrap_or_default();
            read::object(bucket, key, operation.name == "HeadObject")
        }
        _ if operation.writes() => {
            let stale_reads = state.faults.stale_reads;
            write::apply(&mut state.world, operation, request, name, &account, stale_reads)
        }
        _ => read::setting(&mut state.world, operation, name),
    }
}

fn missing(name: &str, operation: &Operation) -> Fault {
    if operation.name == "HeadBucket" {
        return Fault::new(404, "404", "Not Found");
    }
    Fault::no_such_bucket(name)
}

/// What AWS says to a request that came to the wrong region. There is no `Location` to follow.
fn elsewhere(state: &State, name: &str, region: &str, scope: &Scope, host: &str) -> Fault {
    if state.faults.malformed_scope {
        return wrong_scope(scope, region).header("x-amz-bucket-region", region);
    }
    Fault::new(
        301,
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    )
    .with("Endpoint", endpoint(name, region, host))
    .with("Bucket", name)
    .header("x-amz-bucket-region", region)
}

fn endpoint(name: &str, region: &str, host: &str) -> String {
    if host.starts_with("127.") || host.starts_with("localhost") {
        host.to_owned()
    } else {
        format!("{name}.s3.{region}.amazonaws.com")
    }
}

fn wrong_scope(scope: &Scope, expected: &str) -> Fault {
    Fault::new(
        400,
        "AuthorizationHeaderMalformed",
        format!(
            "The authorization header is malformed; the region '{}' is wrong; expecting '{expected}'",
            scope.region
        ),
    )
    .with("Region", expected)
}

/// Whether the caller has the action, where actions are enforced.
fn permitted(state: &State, scope: &Scope, action: &str, resource: &str) -> Result<(), Fault> {
    let Some(permissions) = &state.permissions else {
        return Ok(());
    };
    if permissions.allows(action, resource) {
        return Ok(());
    }
    let (_, caller) = sts::identity(&state.world, &scope.access_key)?;
    Err(Fault::new(
        403,
        "AccessDenied",
        format!(
            "User: {caller} is not authorized to perform: {action} on resource: \"{resource}\" because no identity-based policy allows the {action} action"
        ),
    ))
}
