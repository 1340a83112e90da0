use tokio::task::JoinHandle;

use crate::auth::Auth;

/// Reads key files anew at each SIGHUP, until it is aborted. They are also looked at by themselves, every five seconds.
pub(super) fn on_hangup(auth: Auth) -> JoinHandle<()> {
    #[cfg(unix)]
    return match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        Ok(mut hangup) => tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let auth = auth.clone();
                match tokio::task::spawn_blocking(move || auth.reload()).await {
                    Ok(Ok(())) => tracing::info!("keys are read anew"),
                    Ok(Err(error)) => tracing::error!(error = %error.chain(), "keys could not be read anew; those from before stay"),
                    Err(_) => tracing::error!("reading keys anew panicked; those from before stay"),
                }
            }
        }),
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be listened to: keys are read anew when their files change");
            tokio::spawn(async {})
        }
    };
    #[cfg(not(unix))]
    {
        drop(auth);
        tokio::spawn(async {})
    }
}
