//! A token as Keycloak writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tower_analytics::auth::Issuer;

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const ISSUER: &str = "https://id.example.com/realms/main";

pub fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    json!({
        "exp": now + 36_000, "iat": now, "jti": "2f3c1d0e-5f0a-4c1d-9b77-0a6a7f0f4b1e", "iss": ISSUER, "aud": ["tower-analytics", "account"],
        "sub": "f:5c1b0a6e-1c7b-4b6f-8a58-1d3a3a0b7c11:ann", "typ": "Bearer", "azp": "web", "sid": "c0f7a9d2-9a3e-4a29-8f3e-3f2b1a0c9d8e",
        "realm_access": {"roles": ["offline_access", "stats-mod", "uma_authorization"]},
        "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}}, "scope": "openid email profile",
        "email_verified": true, "name": "Ann Example", "preferred_username": "ann", "email": "ann@example.com",
    })
}

/// Its issuer, without keys.
pub fn issuer() -> Issuer {
    let mut issuer = Issuer::new(ISSUER, ["tower-analytics"]);
    issuer.role_paths = vec!["realm_access.roles".into()];
    issuer.role_map.insert("stats-mod".to_owned(), "mod".to_owned());
    issuer
}
