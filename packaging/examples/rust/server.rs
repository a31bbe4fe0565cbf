// A Rust worker with the standard library: it takes descriptor 3, reports its readiness and drains on SIGTERM.
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::io::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::atomic::{AtomicI32, Ordering};

#[repr(C)]
struct PollFd {
    fd: RawFd,
    events: i16,
    revents: i16,
}

const SIGTERM: i32 = 15;
const POLLIN: i16 = 1;

extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn poll(fds: *mut PollFd, count: usize, timeout: i32) -> i32;
    fn write(fd: RawFd, data: *const u8, length: usize) -> isize;
}

static WAKE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_sigterm(_: i32) {
    unsafe { write(WAKE.load(Ordering::Relaxed), b"x".as_ptr(), 1) };
}

fn answer(mut client: TcpStream) -> Result<()> {
    client.set_nonblocking(false)?;
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read(&mut piece)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
    let body = format!("rust {}\n", std::process::id());
    write!(client, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", body.len(), body)
}

fn main() -> Result<()> {
    let listener = unsafe { TcpListener::from_raw_fd(3) };
    listener.set_nonblocking(true)?; // a sibling may take the connection that woke this worker
    let (stop, wake) = UnixStream::pair()?;
    WAKE.store(wake.as_raw_fd(), Ordering::Relaxed);
    unsafe { signal(SIGTERM, on_sigterm) };
    if let Ok(path) = std::env::var("NOTIFY_SOCKET") {
        UnixDatagram::unbound()?.send_to(b"READY=1", path)?;
    }

    let mut clients = Vec::new();
    loop {
        let mut fds = [&listener as &dyn AsRawFd, &stop].map(|one| PollFd { fd: one.as_raw_fd(), events: POLLIN, revents: 0 });
        if unsafe { poll(fds.as_mut_ptr(), fds.len(), -1) } < 0 && Error::last_os_error().kind() != ErrorKind::Interrupted {
            return Err(Error::last_os_error());
        }
        if fds[1].revents != 0 {
            break;
        }
        if let Ok((client, _)) = listener.accept() {
            clients.push(std::thread::spawn(move || answer(client)));
        }
        clients.retain(|client| !client.is_finished());
    }
    drop(listener); // closes this descriptor; the connections that wait go to other workers
    for client in clients {
        let _ = client.join();
    }
    Ok(())
}
