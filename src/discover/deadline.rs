//! The run's deadline, for implementations of [`Pull`](crate::registry::Pull) that do not keep it themselves.

use crate::registry::{Context, Problem, RegistryError};

/// Runs `work` until the run's time is over.
pub(crate) async fn within<T>(
    context: &Context,
    operation: &str,
    work: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    let timeout = || {
        let detail = format!("not finished after {} s", context.limits().total_time.as_secs());
        RegistryError::new(Problem::Timeout, operation, detail)
    };
    let left = context.remaining().ok_or_else(timeout)?;
    tokio::time::timeout(left, work).await.map_err(|_| timeout())
}
