//! What settings may ask of any claim, and what keeps to it.

mod common;

use std::time::{Duration, UNIX_EPOCH};

use axum::{Router, body::Body};
use common::signing::{Signer, with};
use hyper::{Request, StatusCode, header};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_analytics::{
    Auth, Clock, Error, Verify,
    auth::{AuthConfig, ClaimRule, Issuer, Policy, Reason, RolePath, Secret},
};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef-a-secret-of-the-tests";

fn build(rules: impl IntoIterator<Item = ClaimRule>) -> Result<Auth, Error> {
    let mut issuer = Issuer::new("https://id.example.com", ["us"]);
    issuer.algorithms = vec!["HS256".to_owned()];
    issuer.keys.hmac = Some(Secret::new(SECRET));
    issuer.claim_rules = rules.into_iter().collect();
    let everybody: Policy = toml::from_str("anonymous = true").unwrap();
    let builder = Auth::builder().issuer(issuer).policy("everybody", everybody);
    builder.clock(Clock::manual(UNIX_EPOCH + Duration::from_secs(NOW))).build()
}

fn token(changes: &Value) -> String {
    let claims = json!({"iss": "https://id.example.com", "aud": "us", "sub": "ann", "iat": NOW, "exp": NOW + 600});
    let signer = Signer::secret("", Algorithm::HS256, SECRET.as_bytes());
    signer.with_header(&json!({"alg": "HS256"}), &with(&claims, changes))
}

#[test]
fn a_rule_is_kept_by_exactly_what_it_says() {
    let x = |value: Value| json!({"x": value});
    let cases = [
        (
            ClaimRule::eq("x", true),
            vec![x(json!(true))],
            vec![x(json!(false)), x(json!("true")), x(json!(1)), x(json!([true])), x(json!(null)), x(json!({})), json!({})],
        ),
        (
            ClaimRule::eq("x", 1),
            vec![x(json!(1)), x(json!(1.0))],
            vec![x(json!("1")), x(json!(1.5)), x(json!(true)), x(json!(-1)), x(json!([1])), json!({"X": 1})],
        ),
        (
            ClaimRule::eq("x", "a"),
            vec![x(json!("a"))],
            vec![x(json!("A")), x(json!("a ")), x(json!("a b")), x(json!(["a"])), x(json!({"a": "a"})), x(json!(""))],
        ),
        (
            ClaimRule::any_of("x", ["a", "b"]),
            vec![x(json!("b")), x(json!(["c", "a"])), x(json!([1, null, "b"]))],
            vec![x(json!("c")), x(json!([])), x(json!([["a"]])), x(json!("a b")), x(json!({"a": 1})), json!({})],
        ),
        (
            ClaimRule::all_of("x", ["a", "b"]),
            vec![x(json!(["b", "c", "a"])), x(json!(["a", "b", "a"]))],
            vec![x(json!(["a"])), x(json!("a")), x(json!("a b")), x(json!([["a", "b"]])), x(json!([])), json!({})],
        ),
        (ClaimRule::all_of("x", ["a"]), vec![x(json!("a"))], vec![x(json!("b"))]),
        (ClaimRule::exists("x", true), vec![x(json!(false)), x(json!("")), x(json!([])), x(json!({}))], vec![x(json!(null)), json!({})]),
        (ClaimRule::exists("x", false), vec![json!({}), x(json!(null))], vec![x(json!(false)), x(json!(0)), x(json!({"act": 1}))]),
        (
            ClaimRule::eq("x.y", "a"),
            vec![x(json!({"y": "a"}))],
            vec![json!({"x.y": "a"}), x(json!("a")), x(json!([{"y": "a"}])), x(json!({"y": {"y": "a"}}))],
        ),
        (
            ClaimRule::eq(RolePath::Keys(vec!["https://example.com/x.y".to_owned()]), "a"),
            vec![json!({"https://example.com/x.y": "a"})],
            vec![json!({"https://example": {"com/x": {"y": "a"}}})],
        ),
        (ClaimRule::eq("sub", "ann"), vec![json!({})], vec![json!({"sub": "bob"})]),
    ];
    for (rule, kept, broken) in cases {
        let auth = build([rule.clone()]).unwrap();
        for claims in kept {
            auth.verify(&token(&claims)).unwrap_or_else(|reason| panic!("{claims} keeps to {rule:?}: {reason}"));
        }
        for claims in broken {
            assert_eq!(auth.verify(&token(&claims)), Err(Reason::Claim), "{claims} breaks {rule:?}");
        }
    }
}

#[test]
fn all_rules_of_an_issuer_must_be_kept() {
    let auth = build([ClaimRule::eq("a", 1), ClaimRule::exists("b", true)]).unwrap();
    auth.verify(&token(&json!({"a": 1, "b": 1}))).unwrap();
    for claims in [json!({"a": 1}), json!({"b": 1}), json!({"a": 2, "b": 1})] {
        assert_eq!(auth.verify(&token(&claims)), Err(Reason::Claim), "{claims}");
    }
    assert_eq!(auth.verify(&token(&json!({"aud": "them"}))), Err(Reason::Aud), "what every token needs comes first");
}

#[tokio::test]
async fn a_token_that_breaks_a_rule_is_no_credential_at_all() {
    let app: Router = Router::new().merge(Verify::new(build([ClaimRule::eq("email_verified", true)]).unwrap()));
    for (claims, status) in [(json!({"email_verified": true}), StatusCode::OK), (json!({}), StatusCode::UNAUTHORIZED)] {
        for policy in ["any", "everybody"] {
            let request = Request::get(format!("/analytics/auth/verify/{policy}"));
            let request = request.header("Authorization", format!("Bearer {}", token(&claims))).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{claims} {policy}");
            let challenge = response.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
            assert_eq!(challenge, (status != StatusCode::OK).then_some("Bearer realm=\"analytics\", error=\"invalid_token\""));
        }
    }
}

#[test]
fn rules_are_read_from_toml_and_what_is_wrong_with_them_is_said() {
    let read = |rules: &str| toml::from_str::<AuthConfig>(&format!("[[issuer]]\nclaim_rules = [{rules}]"));
    let config = read(
        r#"{ path = "email_verified", eq = true }, { path = ["https://example.com/level"], any_of = [2, 3] },
           { path = "groups", all_of = ["a", "b"] }, { path = "act", exists = false }"#,
    );
    let expected = [
        ClaimRule::eq("email_verified", true),
        ClaimRule::any_of(RolePath::Keys(vec!["https://example.com/level".to_owned()]), [2, 3]),
        ClaimRule::all_of("groups", ["a", "b"]),
        ClaimRule::exists("act", false),
    ];
    let config = config.unwrap();
    assert_eq!(config.issuer[0].claim_rules, expected);
    assert_eq!(toml::from_str::<AuthConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    for wrong in [
        r#"{ eq = true }"#,
        r#"{ path = "x", equals = true }"#,
        r#"{ path = "x", eq = 1.5 }"#,
        r#"{ path = "x", eq = ["a"] }"#,
        r#"{ path = "x", eq = { a = 1 } }"#,
        r#"{ path = "x", any_of = "a" }"#,
        r#"{ path = "x", exists = "yes" }"#,
        r#"{ path = 1, exists = true }"#,
        r#""x""#,
    ] {
        read(wrong).expect_err(wrong);
    }
    for (wrong, part) in [
        (r#"{ path = "x" }"#, "exactly one"),
        (r#"{ path = "x", eq = 1, exists = true }"#, "exactly one"),
        (r#"{ path = "", exists = false }"#, "empty key"),
        (r#"{ path = [], exists = false }"#, "empty key"),
        (r#"{ path = "a..b", exists = false }"#, "empty key"),
        (r#"{ path = "x", any_of = [] }"#, "empty list"),
        (r#"{ path = "x", all_of = [] }"#, "empty list"),
        (r#"{ path = "x", eq = 9007199254740992 }"#, "exactly"),
    ] {
        let error = build(read(wrong).unwrap().issuer.remove(0).claim_rules).expect_err(wrong).to_string();
        assert!(error.contains("claim_rules") && error.contains(part), "{wrong}: {error}");
    }
}
