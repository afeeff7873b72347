//! The one page that the browser is sent back to after a login (RFC 8252, 7.3).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::LoginError;
use crate::net::words;

const PATH: &str = "/auth/callback";
/// Bytes of a request; a browser's has one or two thousand.
const REQUEST_BYTES: usize = 16 << 10;
/// A browser sends its request at once.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A listener on this machine for one answer.
pub(super) struct Callback {
    listener: TcpListener,
    port: u16,
}

impl Callback {
    /// Listens on a free port, for this machine only.
    pub(super) async fn listen() -> Result<Self, LoginError> {
        let wrong = |error: std::io::Error| LoginError(format!("no port of this machine can be listened on: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(wrong)?;
        let port = listener.local_addr().map_err(wrong)?.port();
        Ok(Self { listener, port })
    }

    /// Where the browser is sent; issuers allow the name `localhost` with any port.
    pub(super) fn address(&self) -> String {
        format!("http://localhost:{}{PATH}", self.port)
    }

    /// Waits for the browser and gives the code that it brings. An answer with
    /// another state is to somebody else's question, and ends the login.
    pub(super) async fn wait(self, state: &str, issuer: &str, deadline: Instant) -> Result<String, LoginError> {
        let late = |_| LoginError("nobody logged in within the time".to_owned());
        loop {
            let accepted = timeout_at(deadline, self.listener.accept()).await.map_err(late)?;
            let Ok((mut stream, _)) = accepted else { continue };
            // Whatever else a browser asks for, such as an icon, is not here.
            let Some(query) = timeout(REQUEST_TIME, read(&mut stream)).await.ok().flatten() else {
                say(&mut stream, "404 Not Found", "There is nothing here.").await;
                continue;
            };
            let code = judge(&query, state, issuer);
            match &code {
                Ok(_) => say(&mut stream, "200 OK", "You are logged in. You can close this page.").await,
                Err(_) => say(&mut stream, "400 Bad Request", "The login failed. The program says why.").await,
            }
            return code;
        }
    }
}

/// The query of a request for our page.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut more = [0; 2048];
        let count = stream.read(&mut more).await.ok().filter(|count| *count > 0)?;
        head.extend_from_slice(more.get(..count)?);
        if head.len() > REQUEST_BYTES {
            return None;
        }
    }
    let line = String::from_utf8(head).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let (path, query) = target.split_once('?')?;
    (path == PATH).then(|| query.to_owned())
}

fn judge(query: &str, state: &str, issuer: &str) -> Result<String, LoginError> {
    let wrong = |what: String| LoginError(what);
    let url =
        Url::parse(&format!("http://localhost/?{query}")).map_err(|_| wrong("the answer is no query".to_owned()))?;
    let find = |name: &str| {
        let mut found = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        // Given twice, two readers may take different ones.
        found.next().filter(|_| found.next().is_none())
    };
    if find("state").as_deref() != Some(state) {
        return Err(wrong("the browser brought the answer to another login".to_owned()));
    }
    // RFC 9207: an answer that says whose it is has to say the right one.
    if find("iss").is_some_and(|found| found != issuer) {
        return Err(wrong("the answer is another issuer's".to_owned()));
    }
    if let Some(error) = find("error") {
        return Err(wrong(format!("the issuer says {}", words(&error, 60))));
    }
    find("code").ok_or_else(|| wrong("the answer has no code".to_owned()))
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that went away has its answer on the terminal.
    drop(stream.write_all(page.as_bytes()).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bring(requests: &'static [&'static str]) -> Result<String, LoginError> {
        let callback = Callback::listen().await.expect("a port");
        let port = callback.port;
        let browser = async move {
            for request in requests {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
                stream.write_all(format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.expect("sent");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.expect("an answer");
            }
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        let wait = callback.wait("s", "https://i.test", deadline);
        futures_util::future::join(wait, browser).await.0
    }

    #[tokio::test]
    async fn only_the_answer_to_our_question_is_taken() {
        let code = bring(&["GET /favicon.ico", "GET /auth/callback?code=c%2F1&state=s&iss=https%3A%2F%2Fi.test"]).await;
        assert_eq!(code, Ok("c/1".to_owned()));
        for bad in [
            &["GET /auth/callback?code=c&state=t"],
            &["GET /auth/callback?code=c"],
            &["GET /auth/callback?code=c&state=s&state=s"],
            &["GET /auth/callback?code=c&state=s&iss=https://j.test"],
            &["GET /auth/callback?state=s&error=access_denied&code=c"],
            &["GET /auth/callback?state=s"],
        ] {
            assert!(bring(bad).await.is_err_and(|error| error.code() == crate::code::Code::LoginFailed), "{bad:?}");
        }
    }
}
