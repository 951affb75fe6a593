//! HTTP for one page: one thread for each of a bounded number of connections, each with bounded sizes and times.
//!
//! | file | what |
//! | --- | --- |
//! | `request` | reading a request |
//! | `guard` | who may see, and who may steer |
//! | `token` | the page's token |
//! | `routes` | the routes |
//! | `response` | answers |
//! | `events` | server-sent events |

mod events;
mod guard;
mod request;
mod response;
mod routes;
mod token;

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Address, Hub};
use guard::Guard;
use request::{Request, Unreadable};
use response::Response;
use routes::Answer;
use token::Token;

/// The maximum number of connections at a time; a page has two or three.
const MOST: usize = 128;
/// The maximum number of surplus connections at a time that are told why they are refused; others are closed without an answer.
const MOST_REFUSED: usize = 32;
/// The maximum number of connections that may listen to events, which they may do indefinitely.
const MOST_LISTENERS: usize = 48;
/// The time limit for receiving a request.
const READING: Duration = Duration::from_secs(10);
/// The time limit for sending an answer.
const SENDING: Duration = Duration::from_secs(60);

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot serve the live page at {address}: {error}")]
    Bind { address: Address, error: io::Error },
    #[error("no random numbers for the live page's token: {0}")]
    Random(getrandom::Error),
}

impl ServeError {
    /// Returns a hint, if one would help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ServeError::Bind { error, .. } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    Some("another program uses that port; --serve without an address takes a free one")
                }
                io::ErrorKind::PermissionDenied => {
                    Some("ports below 1024 are reserved for the system: use a higher one")
                }
                io::ErrorKind::AddrNotAvailable => Some("that is not an address of this machine"),
                _ => None,
            },
            ServeError::Random(_) => None,
        }
    }
}

/// Serves a hub's page for as long as the process lives.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    token: String,
}

/// What all connections share.
struct Shared {
    hub: Arc<Hub>,
    guard: Guard,
    /// JSON about the program, sent to a page first.
    hello: String,
    connections: AtomicUsize,
    refused: AtomicUsize,
    listeners: AtomicUsize,
}

impl Server {
    /// Begins to serve. If `address` leaves the port open, the port derived from `recipe` (any bytes that identify it) is used if it is
    /// free, otherwise any free port.
    pub fn start(hub: Arc<Hub>, address: Address, recipe: &[u8]) -> Result<Self, ServeError> {
        let listener = TcpListener::bind(address.with_port_for(recipe).0)
            .or_else(|_| TcpListener::bind(address.0))
            .map_err(|error| ServeError::Bind { address, error })?;
        let bound = listener.local_addr().map_err(|error| ServeError::Bind { address, error })?;
        let token = Token::new().map_err(ServeError::Random)?;
        let hello = serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "instance": token.name() }).to_string();
        let server = Server { address: bound, token: token.reveal().to_owned() };
        let guard = Guard { token, loopback: address.is_loopback(), names: names() };
        let [connections, refused, listeners] = [0; 3].map(AtomicUsize::new);
        let shared = Arc::new(Shared { hub, guard, hello, connections, refused, listeners });
        thread::spawn(move || accept(&listener, &shared));
        Ok(server)
    }

    /// Returns the link that opens the page.
    pub fn link(&self) -> String {
        let ip = self.address.ip();
        if ip.is_loopback() {
            return format!("http://{}/", self.address);
        }
        let ip = if ip.is_unspecified() { outward().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { ip };
        format!("http://{}/?token={}", SocketAddr::new(ip, self.address.port()), self.token)
    }
}

/// Returns the machine's names.
fn names() -> Vec<String> {
    let Some(name) = sysinfo::System::host_name() else { return Vec::new() };
    let name = name.to_ascii_lowercase();
    let short = name.split('.').next().unwrap_or_default();
    vec![short.to_owned(), format!("{short}.local"), name]
}

/// Returns the address by which other machines most likely know this one, without sending anything.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address for documentation (RFC 5737); only the route to it is looked up.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The shared state, together with one of a bounded number of slots.
struct Slot {
    shared: Arc<Shared>,
    /// The counter that this slot belongs to.
    of: fn(&Shared) -> &AtomicUsize,
}

impl Slot {
    fn take(shared: &Arc<Shared>, of: fn(&Shared) -> &AtomicUsize, most: usize) -> Option<Self> {
        if of(shared).fetch_add(1, Ordering::SeqCst) >= most {
            of(shared).fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        Some(Slot { shared: shared.clone(), of })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        (self.of)(&self.shared).fetch_sub(1, Ordering::SeqCst);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else {
            // Most likely we are out of file handles; some will be released.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        // The slot is taken before the thread starts, so there are never more threads than slots. If no thread can be started, the
        // connection is closed.
        let thread = thread::Builder::new().stack_size(512 << 10);
        if let Some(slot) = Slot::take(shared, |shared| &shared.connections, MOST) {
            let _ = thread.spawn(move || serve(&mut stream, &slot.shared));
        } else if let Some(slot) = Slot::take(shared, |shared| &shared.refused, MOST_REFUSED) {
            let _ = thread.spawn(move || {
                refuse(&mut stream, &Response::status(503, "too many connections"));
                drop(slot);
            });
        }
    }
}

/// Serves one connection: one request, one answer. Errors are left for the client to notice.
fn serve(stream: &mut TcpStream, shared: &Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let request = match Request::read(stream, READING) {
        Ok(request) => request,
        Err(Unreadable::Gone) => return,
        Err(Unreadable::Late) => return refuse(stream, &Response::status(408, "too slow")),
        Err(Unreadable::TooLong) => return refuse(stream, &Response::status(431, "too long")),
        Err(Unreadable::Body) => return refuse(stream, &Response::status(413, "no body is expected")),
        Err(Unreadable::Wrong) => return refuse(stream, &Response::status(400, "this is not HTTP")),
    };
    match routes::answer(&request, &shared.guard, &shared.hub) {
        Answer::Whole(response) => {
            let _ = response.send(stream, SENDING);
        }
        Answer::Picture(response, number) => {
            if response.send(stream, SENDING).is_ok() {
                shared.hub.sent(number);
            }
        }
        Answer::Events => match Slot::take(shared, |shared| &shared.listeners, MOST_LISTENERS) {
            Some(_place) => {
                let _ = events::stream(stream, shared.hub.listen(), &shared.hello);
            }
            None => refuse(stream, &Response::status(503, "too many pages are open")),
        },
    }
}

/// Answers a request that was not fully read. Closing with unread bytes would reset the connection before the client has read the answer,
/// so some are read.
fn refuse(stream: &mut TcpStream, response: &Response) {
    let limit = Duration::from_millis(500);
    if response.send(stream, limit).is_err() || stream.set_read_timeout(Some(limit)).is_err() {
        return;
    }
    let mut rest = [0; 4096];
    for _ in 0..16 {
        match stream.read(&mut rest) {
            Ok(1..) => {}
            _ => return,
        }
    }
}

/// A guard on loopback for tests.
#[cfg(test)]
fn test_guard() -> Guard {
    Guard { token: Token::new().unwrap(), loopback: true, names: Vec::new() }
}

/// Reads and checks a request as the server does, for fuzzing.
#[cfg(fuzzing)]
pub fn read_request(bytes: &[u8]) {
    let Ok(token) = Token::new() else { return };
    for loopback in [true, false] {
        let guard = Guard { token: token.clone(), loopback, names: vec!["here".to_owned()] };
        if let Ok(Some(request)) = Request::parse(bytes) {
            assert!(guard.may_steer(&request).is_err(), "nobody can know the token");
            let _ = guard.may_see(&request);
        }
    }
}

#[cfg(test)]
mod tests;
