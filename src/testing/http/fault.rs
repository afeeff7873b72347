//! Rules that make a server answer wrongly.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::RecordedRequest;

/// A rule: which requests go wrong, and how. The first rule that fits a request is used.
#[derive(Debug)]
pub struct Fault {
    method: Option<String>,
    path: String,
    skip: usize,
    times: usize,
    seen: AtomicUsize,
    effect: Effect,
}

/// A canned answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// Makes an answer of a request.
type Compute = Arc<dyn Fn(&RecordedRequest) -> Option<Answer> + Send + Sync>;

/// What a rule does.
#[derive(Clone, Default)]
pub(super) struct Effect {
    /// The answer is this one instead of the server's.
    pub(super) answer: Option<Answer>,
    /// The answer is computed; `None` leaves the request to the server.
    pub(super) computed: Option<Compute>,
    /// Headers put on whatever the answer is, instead of those of the same name.
    pub(super) headers: Vec<(String, String)>,
    /// The body instead of the answer's own.
    pub(super) body: Option<Bytes>,
    /// Only so many bytes of the body are sent, then the connection breaks.
    pub(super) truncate: Option<usize>,
    /// Only so many bytes of the body are sent, then nothing more.
    pub(super) stall_after: Option<usize>,
    /// No answer, the connection stays open.
    pub(super) stall: bool,
    /// No answer, the connection breaks.
    pub(super) reset: bool,
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effect").field("answer", &self.answer).field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer with a status and nothing else.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A redirect to `location`.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// The web page that a login wall or proxy answers with status 200.
    #[must_use]
    pub fn html() -> Self {
        let page = "<!DOCTYPE html><html><body>Sign in to continue</body></html>";
        Self::status(200).header("content-type", "text/html; charset=utf-8").body(page)
    }

    /// A JSON document.
    pub(in crate::testing) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::status(status).header("content-type", "application/json").body(body.to_string())
    }

    /// The same with one more header. A name may be given twice.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl Fault {
    /// A rule for every request whose path and query contain `path`. On its own it changes nothing.
    #[must_use]
    pub fn on(path: &str) -> Self {
        Self {
            method: None,
            path: path.to_owned(),
            skip: 0,
            times: usize::MAX,
            seen: AtomicUsize::new(0),
            effect: Effect::default(),
        }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only from the hit after the first `skip` ones on.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Answers this instead.
    #[must_use]
    pub fn answer(self, answer: Answer) -> Self {
        self.change(|effect| effect.answer = Some(answer))
    }

    /// Answers what `answer` makes of the request; `None` leaves it to the server.
    #[must_use]
    pub fn compute(self, answer: impl Fn(&RecordedRequest) -> Option<Answer> + Send + Sync + 'static) -> Self {
        self.change(|effect| effect.computed = Some(Arc::new(answer)))
    }

    /// Puts a header on the answer, instead of the server's own of that name.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|effect| effect.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Puts another body under the answer's own headers.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.change(|effect| effect.body = Some(body))
    }

    /// Breaks the connection after `bytes` bytes of the body; the length was announced in full.
    #[must_use]
    pub fn truncate(self, bytes: usize) -> Self {
        self.change(|effect| effect.truncate = Some(bytes))
    }

    /// Sends `bytes` bytes of the body and then nothing more.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        self.change(|effect| effect.stall_after = Some(bytes))
    }

    /// Never answers.
    #[must_use]
    pub fn stall(self) -> Self {
        self.change(|effect| effect.stall = true)
    }

    /// Breaks the connection without an answer.
    #[must_use]
    pub fn reset(self) -> Self {
        self.change(|effect| effect.reset = true)
    }

    fn change(mut self, change: impl FnOnce(&mut Effect)) -> Self {
        change(&mut self.effect);
        self
    }

    /// The effect on this request, if the rule fits it; counts the hit.
    pub(super) fn hit(&self, request: &RecordedRequest) -> Option<Effect> {
        let fits = self.method.as_ref().is_none_or(|method| *method == request.method)
            && format!("{}?{}", request.path, request.query).contains(&self.path);
        if !fits {
            return None;
        }
        let nth = self.seen.fetch_add(1, Ordering::Relaxed);
        let active = nth >= self.skip && nth - self.skip < self.times;
        active.then(|| self.effect.clone())
    }
}
