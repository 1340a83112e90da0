//! The route that NGINX, Traefik, Caddy or Envoy ask whether a request may pass.

mod answer;
mod identity;
mod route;

pub use self::route::Verify;
