use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::time::{moment, rough};
use crate::auth::{Auth, Reason};

/// What a token says, without a look at whether it may say so.
pub(super) fn claims_of(token: &str) -> Map<String, Value> {
    let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
}

/// Why a token is refused, and what can be done: two sentences.
pub(super) fn words(reason: Reason, auth: &Auth, token: &str) -> (String, String) {
    let config = auth.config();
    let all = |of: fn(&crate::auth::Issuer) -> Vec<String>| config.issuer.iter().flat_map(of).collect::<Vec<_>>().join(", ");
    let claims = claims_of(token);
    // As JSON: what steers a terminal is spelled out in it, all but for a few letters.
    let said =
        |name: &str| claims.get(name).map_or_else(|| "nothing".to_owned(), |value| crate::cli::output::printable(&value.to_string()));
    let number = |name: &str| claims.get(name).and_then(Value::as_f64).map(|number| number as i64);
    let (what, advice): (String, &str) = match reason {
        Reason::Missing => ("there is no token".to_owned(), "give one on the standard input"),
        Reason::Malformed => (
            "it is not three parts in base64url with dots between them, or what it says is no JSON object with each name once".to_owned(),
            "copy the whole of it, and nothing around it",
        ),
        Reason::TooLarge => {
            (format!("it is longer than {} bytes", config.max_token_bytes), "let it say less, or raise `max_token_bytes` below [auth]")
        }
        Reason::Alg => (
            format!(
                "its header names no algorithm that is known here, or not the one that the keys are for ({})",
                all(|i| i.algorithms.clone())
            ),
            "sign with that one, or add another to the issuer's `algorithms` and keys",
        ),
        Reason::Header => (
            "its header is no plain JSON object, or brings a key, a compression or an encryption of its own".to_owned(),
            "have it signed with nothing but alg, typ and kid in the header",
        ),
        Reason::Crit => ("its header asks for an extension (crit or b64), and none is known here".to_owned(), "have it signed without"),
        Reason::Typ => (
            format!("its header's typ is none of {}: it is another kind of token", config.typ.join(", ")),
            "take the access token, or add its kind to `typ` below [auth]",
        ),
        Reason::UnknownKey => (
            "no key has the name (kid) in its header; or it has none, and several keys could be meant".to_owned(),
            "look whether the issuer's key set is the current one, and `kid` beside the key",
        ),
        Reason::BadSignature => (
            "it was not signed with the issuer's key, or was changed since".to_owned(),
            "look whether whoever signs and these settings have the same secret, or the two halves of one key pair",
        ),
        Reason::Exp => match number("exp") {
            Some(exp) if exp <= auth.now_s() => {
                (format!("it expired {} ago, at {}", rough(auth.now_s() - exp), moment(exp)), "ask for a new one")
            }
            _ => (format!("when it expires (exp) is no sensible number: {}", said("exp")), "have it issued with an exp"),
        },
        Reason::Nbf => (
            format!("it is not good yet (nbf is {}), or becomes so after it expired", number("nbf").map_or_else(|| said("nbf"), moment)),
            "wait, or set the clocks of the two machines right",
        ),
        Reason::Iat => (
            format!(
                "when it was issued (iat) is missing, no number, or lies in the future: {}",
                number("iat").map_or_else(|| said("iat"), moment)
            ),
            "set the clocks of the two machines right, or have it issued with an iat, or say `require_iat = false`",
        ),
        Reason::Lifetime => (
            format!("it lives longer than {} s, the longest that is taken", config.max_token_lifetime_s),
            "have it expire earlier, or raise `max_token_lifetime_s` below [auth]",
        ),
        Reason::Iss => (
            format!("it is by {}, and only these are known: {}", said("iss"), all(|i| vec![format!("{:?}", i.issuer)])),
            "take a token of one of these, or add an [[auth.issuer]]",
        ),
        Reason::Aud => (
            format!("it is for {}, and not for {}", said("aud"), all(|i| i.audience.clone())),
            "ask the issuer for one for that audience, or add its own to the issuer's `audience`",
        ),
        Reason::Sub => (
            format!("whom it is for ({}) is missing, empty, too long, or no text", all(|i| i.subject.clone())),
            "have it issued with a subject, or say in `subject` which claim names it",
        ),
        Reason::Jti => (
            "it has no id (jti), or none of up to 256 bytes; where tokens can be revoked each needs one".to_owned(),
            "have it issued with a jti, or say `require_jti = false`",
        ),
        Reason::Revoked => ("it was revoked".to_owned(), "ask for a new one; `tower-analytics token revocations` lists them"),
        Reason::Cnf => (
            "it is bound to a key of its bearer (cnf), who is not asked for it here".to_owned(),
            "say `ignore_cnf = true` if that is right",
        ),
        Reason::Claim => (
            "a claim is not what the issuer's `claim_rules` say".to_owned(),
            "have it issued with what they ask for, or change `claim_rules` below [[auth.issuer]]",
        ),
        // Tokens have none.
        Reason::Session => ("its session is over".to_owned(), "sign in again"),
        Reason::Role => ("it grants less than the policy asks for".to_owned(), "give it the role"),
        Reason::KeysUnavailable => (
            "there are no keys to check it with now, or revocations cannot be read".to_owned(),
            "look at the key files and at access.db of the data directory",
        ),
    };
    (what, advice.to_owned())
}
