//! Work that would hold up other tasks.

/// Runs `work`, which touches files or computes for long, where it holds up no
/// other task (scenario K-12). `None` if the runtime ends before it is done; a
/// panic in it goes on in the caller, since it is never a task that vanished
/// (scenario A-02).
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
