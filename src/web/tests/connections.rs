//! How much a connection reads ahead, and how long it waits.

use std::future::poll_fn;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::connection::{Connection, Patience};
use super::*;

const PATIENCE: Patience = Patience {
    head: Duration::from_millis(50),
    rest: Duration::from_millis(50),
    answer: Duration::from_millis(50),
};

type Tcp = Connection<tokio::net::TcpStream>;

/// Both ends of a connection, within a runtime.
fn on_connection<T>(test: impl AsyncFnOnce(Tcp, TcpStream) -> T) -> T {
    let house = House::new();
    actix_web::rt::System::new().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let server = tokio::net::TcpStream::from_std(server).unwrap();
        test(Connection::new(server, &house.state, PATIENCE), client).await
    })
}

/// One read, if it has something to say at once.
async fn poll_read(connection: &mut Tcp) -> Option<std::io::Result<Vec<u8>>> {
    poll_fn(|cx| {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = match Pin::new(&mut *connection).poll_read(cx, &mut buffer) {
            Poll::Pending => None,
            Poll::Ready(read) => Some(read.map(|()| buffer.filled().to_vec())),
        };
        Poll::Ready(read)
    })
    .await
}

async fn read(connection: &mut Tcp) -> std::io::Result<Vec<u8>> {
    poll_fn(|cx| {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut *connection).poll_read(cx, &mut buffer);
        read.map_ok(|()| buffer.filled().to_vec())
    })
    .await
}

#[test]
fn sixteen_requests_are_handed_on_at_a_time_and_none_while_one_is_answered() {
    on_connection(async |mut connection, mut client| {
        let request = b"GET / HTTP/1.1\r\n\r\n";
        client.write_all(&request.repeat(40)).unwrap();
        let first = read(&mut connection).await.unwrap();
        assert_eq!(first, request.repeat(16));
        assert!(poll_read(&mut connection).await.is_none(), "the turn is over");
        let flow: Rc<_> = connection.flow();
        let work = flow.begin(false);
        assert!(poll_read(&mut connection).await.is_none(), "a request is being answered");
        let body = flow.read_body();
        assert_eq!(poll_read(&mut connection).await.unwrap().unwrap(), request.repeat(16));
        assert!(poll_read(&mut connection).await.is_none());
        drop(body);
        assert!(poll_read(&mut connection).await.is_none());
        drop(work);
        assert_eq!(read(&mut connection).await.unwrap(), request.repeat(8));
    });
}

#[test]
fn a_head_that_does_not_end_is_an_error_and_idleness_is_not() {
    on_connection(async |mut connection, mut client| {
        drop(connection.flow().begin(false));
        let idle = tokio::time::timeout(PATIENCE.head * 4, read(&mut connection)).await;
        assert!(idle.is_err(), "{idle:?}");
        client.write_all(b"GET ").unwrap();
        assert_eq!(read(&mut connection).await.unwrap(), b"GET ");
        let late = read(&mut connection).await;
        assert_eq!(late.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    });
}

#[test]
fn what_is_left_of_an_unwanted_body_is_read_for_a_moment() {
    on_connection(async |mut connection, mut client| {
        drop(connection.flow().begin(true));
        client.write_all(b"rest").unwrap();
        assert_eq!(read(&mut connection).await.unwrap(), b"rest");
        // As if the client had closed.
        assert_eq!(read(&mut connection).await.unwrap(), b"");
    });
}

#[test]
fn an_answer_of_which_nothing_is_taken_is_an_error_and_nothing_is_read_meanwhile() {
    on_connection(async |mut connection, mut client| {
        let bytes = vec![b'x'; 1 << 20];
        client.write_all(b"GET ").unwrap();
        let mut write = async || {
            poll_fn(|cx| {
                let written = Pin::new(&mut connection).poll_write(cx, &bytes);
                let stalled = written.is_pending();
                let mut buffer = [0; 16];
                let read = Pin::new(&mut connection).poll_read(cx, &mut ReadBuf::new(&mut buffer));
                assert!(!stalled || read.is_pending(), "it reads although it cannot write");
                written
            })
            .await
        };
        let failed = loop {
            if let Err(error) = write().await {
                break error;
            }
        };
        assert_eq!(failed.kind(), std::io::ErrorKind::TimedOut);
    });
}
