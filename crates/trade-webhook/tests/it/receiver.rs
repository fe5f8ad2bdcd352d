//! A receiver that answers as it is told, and keeps what came.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use trade_core::port::Clock;
use trade_webhook::{WebhookSecret, WebhookSettings, WebhookSink};

/// The example of the specification, too.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// Answers with that status and these bytes.
    Status(u16, &'static str),
    /// Sends whoever asks elsewhere: to itself.
    Redirect,
    /// Answers with that status and a body that goes on for ever.
    Endless(u16),
    /// Says nothing.
    Hang,
    /// Closes the connection.
    Close,
    /// Says something that is no HTTP.
    Garbage,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct Book {
    came: Vec<Request>,
    next: VecDeque<Answer>,
    usual: Option<Answer>,
}

/// A receiver on a port of its own.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    book: Arc<Mutex<Book>>,
}

impl Receiver {
    /// One that takes everything until it is told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/events?shop=1", listener.local_addr().unwrap()),
            book: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(line).await });
            }
        });
        receiver
    }

    /// How it answers from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        self.book.lock().unwrap().usual = Some(answer);
    }

    /// How it answers the next request alone.
    pub(crate) fn answer_once(&self, answer: Answer) {
        self.book.lock().unwrap().next.push_back(answer);
    }

    /// What came so far.
    pub(crate) fn came(&self) -> Vec<Request> {
        self.book.lock().unwrap().came.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.came().into_iter().map(|request| request.body).collect()
    }

    pub(crate) fn settings(&self) -> WebhookSettings {
        WebhookSettings::new(&self.url, WebhookSecret::new(SECRET).unwrap())
    }

    pub(crate) fn sink(&self, clock: Arc<dyn Clock>) -> WebhookSink {
        WebhookSink::new(self.settings(), clock).unwrap()
    }

    fn note(&self, request: Request) -> Answer {
        let mut book = self.book.lock().unwrap();
        book.came.push(request);
        let usual = book.usual.unwrap_or(Answer::Status(200, "taken"));
        book.next.pop_front().unwrap_or(usual)
    }

    async fn serve(self, mut line: TcpStream) -> io::Result<()> {
        while let Some(request) = read(&mut line).await? {
            match self.note(request) {
                Answer::Status(status, text) => {
                    let length = text.len();
                    let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n\r\n{text}");
                    line.write_all(answer.as_bytes()).await?;
                }
                Answer::Redirect => {
                    let answer = format!(
                        "HTTP/1.1 308 Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
                        self.url
                    );
                    line.write_all(answer.as_bytes()).await?;
                }
                Answer::Endless(status) => {
                    let head = format!("HTTP/1.1 {status} Said\r\n\r\n");
                    line.write_all(head.as_bytes()).await?;
                    loop {
                        line.write_all(&[b'x'; 4096]).await?;
                    }
                }
                Answer::Hang => std::future::pending().await,
                Answer::Close => return Ok(()),
                Answer::Garbage => line.write_all(b"hello\r\n\r\n").await?,
            }
        }
        Ok(())
    }
}

/// The next request of a connection, when there is one.
async fn read(line: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if line.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap().to_owned();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    while bytes.len() < end + length {
        line.read_buf(&mut bytes).await?;
    }
    Ok(Some(Request {
        line: first,
        headers,
        body: String::from_utf8(bytes[end..].to_vec()).unwrap(),
    }))
}
