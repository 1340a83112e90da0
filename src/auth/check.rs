//! What can be wrong in the settings, said all at once.

use std::collections::HashSet;

use http::HeaderName;
use jsonwebtoken::Algorithm;

use super::config::{AuthConfig, Issuer};

/// Whether there is an HTTP client.
const CAN_FETCH: bool = cfg!(feature = "jwks-http");

/// The most by which clocks may differ, in seconds.
const MAX_LEEWAY: u64 = 300;

/// What HTTP itself needs, and no claim may write.
const NOT_FOR_CLAIMS: [&str; 10] = [
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "location",
    "retry-after",
    "set-cookie",
    "transfer-encoding",
    "vary",
    "www-authenticate",
];

pub(super) fn common(config: &AuthConfig, has_users: bool, wrong: &mut Vec<String>) {
    config.login.check(wrong);
    config.proxy.check(wrong);
    let mut check = |right: bool, message: &str| {
        if !right {
            wrong.push(message.to_owned());
        }
    };
    let is_plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\');
    check(is_plain(&config.realm) && !config.realm.is_empty(), "auth.realm must be plain text without quotes");
    check(config.leeway_s <= MAX_LEEWAY, "auth.leeway_s must be at most 300");
    check((256..=65_536).contains(&config.max_token_bytes), "auth.max_token_bytes must lie between 256 and 65 536");
    check(
        !config.issuer.is_empty() || has_users || !config.proxy.user_header.is_empty(),
        "there is no issuer: say whose tokens are good, with a secret or a public key, or where the users of the sign-in are",
    );
    let is_token = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    check(is_token(&config.jwt_cookie), "auth.jwt_cookie must be the name of a cookie");
    let ours = &config.identity_headers;
    let written = [&ours.subject, &ours.issuer, &ours.roles, &ours.method, &ours.expires, &ours.token_id];
    let mut seen = HashSet::new();
    for name in written.into_iter().chain(config.claims_to_headers.values()) {
        let lower = name.to_ascii_lowercase();
        let is_fit = name.parse::<HeaderName>().is_ok() && !NOT_FOR_CLAIMS.contains(&&*lower) && !lower.starts_with("x-accel-");
        check(is_fit && seen.insert(lower), &format!("auth: {name:?} cannot be the name of an identity header, or is one twice"));
    }
    for name in &config.extra_token_headers {
        check(name.parse::<HeaderName>().is_ok(), &format!("auth.extra_token_headers: {name:?} is no name of a header"));
    }
    let mut names = HashSet::new();
    for issuer in &config.issuer {
        check(config.issuer.len() == 1 || !issuer.issuer.is_empty(), "auth.issuer: with several issuers each needs its `issuer`");
        check(issuer.issuer.is_empty() || names.insert(&issuer.issuer), &format!("auth.issuer: {:?} is there twice", issuer.issuer));
    }
    for (name, policy) in &config.policy {
        let is_fit = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
        check(is_fit, &format!("auth.policy: the name {name:?} must be of a-z, 0-9, - and _"));
        for issuer in &policy.issuers {
            check(config.issuer.iter().any(|known| known.issuer == *issuer), &format!("auth.policy.{name}: there is no issuer {issuer:?}"));
        }
    }
}

/// The algorithms of an issuer.
pub(super) fn issuer(issuer: &Issuer, has_fetcher: bool, wrong: &mut Vec<String>) -> Vec<Algorithm> {
    let whose = if issuer.issuer.is_empty() { "auth.issuer".to_owned() } else { format!("auth.issuer {:?}", issuer.issuer) };
    let mut check = |right: bool, message: &str| {
        if !right {
            wrong.push(format!("{whose}: {message}"));
        }
    };
    check(issuer.issuer.is_empty() == issuer.allow_any_issuer, "give `issuer`, or say `allow_any_issuer = true`, not both");
    check(issuer.audience.is_empty() == issuer.allow_any_audience, "give `audience`, or say `allow_any_audience = true`, not both");
    check(!issuer.subject.is_empty(), "`subject` must name a claim");
    check(issuer.role_paths.iter().all(|path| !path.keys().iter().any(String::is_empty)), "a path in `role_paths` has an empty key");
    for rule in &issuer.claim_rules {
        let refusal = rule.refusal();
        check(refusal.is_none(), &format!("a rule in `claim_rules`, for {:?}, {}", rule.path.keys(), refusal.unwrap_or_default()));
    }
    let keys = &issuer.keys;
    let sources = [
        keys.hmac.is_some(),
        keys.hmac_file.is_some(),
        !keys.hmacs.is_empty(),
        keys.pem_file.is_some(),
        keys.jwks_file.is_some(),
        keys.jwks_url.is_some(),
        keys.discovery,
        has_fetcher,
    ];
    check(
        sources.into_iter().filter(|is_there| *is_there).count() == 1,
        "`keys` needs exactly one of `hmac`, `hmac_file`, `hmacs`, `pem_file`, `jwks_file`, `jwks_url`, `discovery`, or a fetcher",
    );
    check(CAN_FETCH || !keys.are_remote(), "`jwks_url` and `discovery` need the feature `jwks-http` of tower-analytics in Cargo.toml");
    let mut algorithms = Vec::new();
    for name in &issuer.algorithms {
        match name.parse() {
            Ok(algorithm) => algorithms.push(algorithm),
            Err(_) => check(false, &format!("{name:?} is no algorithm that is known")),
        }
    }
    algorithms
}
