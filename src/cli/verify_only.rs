//! `serve` without a data directory: whether a token is good, and nothing else.

use axum::Router;
use tokio::net::TcpListener;

use super::{output, reload, settings::Settings, stop::asked_to_stop};
use crate::{
    auth::Auth,
    error::{Error, ErrorKind},
    verify::Verify,
};

pub(super) async fn serve(listener: TcpListener, settings: &Settings) -> Result<(), Error> {
    let no_issuer = || Error::new(ErrorKind::Config, "there is no issuer in [auth]");
    let auth = settings.auth()?.ok_or_else(no_issuer)?;
    let base = &settings.config.base_path;
    greet(&format!("http://{}{base}/auth/verify", listener.local_addr()?), &auth)?;
    let app: Router = Router::new().merge(Verify::new(auth.clone()).base_path(base));
    let reloading = reload::on_hangup(auth);
    axum::serve(listener, app).with_graceful_shutdown(asked_to_stop()).await?;
    reloading.abort();
    Ok(())
}

fn greet(url: &str, auth: &Auth) -> Result<(), Error> {
    output::line(format!("Verify     {url}/{{policy}}"))?;
    output::line(format!("Policies   {}", auth.policies().join(", ")))?;
    output::line("Data       none: the settings name no directory, so nothing is recorded and there is no dashboard")
}
