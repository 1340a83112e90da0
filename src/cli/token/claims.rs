use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::wrong;
use crate::{
    auth::{Issuer, Seconds},
    error::{Error, ErrorKind},
};

/// What a token shall say.
pub(super) struct Wanted<'a> {
    pub(super) subject: &'a str,
    pub(super) name: Option<&'a str>,
    /// As our settings call them, or as the issuer does.
    pub(super) roles: &'a [String],
    pub(super) issuer: Option<&'a str>,
    pub(super) audience: Option<&'a str>,
    pub(super) now: Seconds,
    pub(super) lifetime: Seconds,
}

impl Wanted<'_> {
    /// The claims, each where this issuer's settings look for it.
    pub(super) fn claims(&self, issuer: &Issuer) -> Result<Value, Error> {
        let mut claims = json!({"iat": self.now, "exp": self.now.saturating_add(self.lifetime), "jti": random_id()?});
        claims[first(&issuer.subject, "sub")] = json!(self.subject);
        if let Some(name) = self.name {
            claims[first(&issuer.name, "name")] = json!(name);
        }
        let own = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        if let Some(name) = self.issuer.map(str::to_owned).or_else(|| own(&issuer.issuer)) {
            claims["iss"] = json!(name);
        }
        if let Some(name) = self.audience.or_else(|| issuer.audience.first().map(String::as_str)) {
            claims["aud"] = json!(name);
        }
        if !self.roles.is_empty() {
            let roles = self.roles.iter().map(|role| theirs(issuer, role)).collect::<Result<Vec<_>, _>>()?;
            put_roles(&mut claims, issuer, &roles)?;
        }
        Ok(claims)
    }
}

/// What the issuer calls one of our roles, or itself if it is a name of the issuer's.
fn theirs<'a>(issuer: &'a Issuer, role: &'a str) -> Result<&'a str, Error> {
    let map = &issuer.role_map;
    if map.get(role).is_some_and(|ours| ours == role) {
        return Ok(role);
    }
    let named_so = map.iter().find(|(_, ours)| *ours == role).map(|(theirs, _)| theirs.as_str());
    named_so.or_else(|| map.contains_key(role).then_some(role)).ok_or_else(|| {
        let known: Vec<&str> = map.values().map(String::as_str).collect();
        let known = if known.is_empty() { "it is empty".to_owned() } else { format!("it gives {}", known.join(", ")) };
        wrong(format!("the issuer's `role_map` gives no role {role:?}, so the token would grant nothing: {known}"))
    })
}

/// One role is written as the claim's name suggests, several as a list; `scope` is text with blanks, RFC 6749 section 3.3.
fn put_roles(claims: &mut Value, issuer: &Issuer, roles: &[&str]) -> Result<(), Error> {
    let paths: Vec<Vec<String>> = issuer.role_paths.iter().map(crate::auth::RolePath::keys).collect();
    let is_plural = |path: &&Vec<String>| path.last().is_some_and(|key| key.ends_with('s'));
    let path = if roles.len() > 1 { paths.iter().find(is_plural).or(paths.first()) } else { paths.first() };
    let Some(path) = path else {
        return Err(wrong("the issuer's settings have no `role_paths`, so a token cannot grant a role: say where roles stand"));
    };
    let last = path.last().map(String::as_str).unwrap_or_default();
    let value = match roles {
        [only] if !is_plural(&path) && !only.contains([' ', ',']) => json!(only),
        _ if last == "scope" => json!(roles.join(" ")),
        _ => json!(roles),
    };
    put(claims, path, value)
}

fn put(claims: &mut Value, path: &[String], value: Value) -> Result<(), Error> {
    let taken = || wrong(format!("roles cannot be written to {}: another claim stands there", path.join(".")));
    let mut at = claims;
    for key in path {
        at = at.as_object_mut().ok_or_else(taken)?.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    if at.as_object().is_none_or(|object| !object.is_empty()) {
        return Err(taken());
    }
    *at = value;
    Ok(())
}

fn first<'a>(names: &'a [String], usual: &'a str) -> &'a str {
    names.first().map_or(usual, String::as_str)
}

/// 128 bits.
fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Storage, "the system has no randomness for a token").with_source(error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::RolePath;

    fn claims(roles: &[&str], paths: Vec<RolePath>) -> Result<Value, Error> {
        let mut issuer = Issuer::new("https://id.example.com", ["us"]);
        issuer.role_paths = paths;
        issuer.role_map =
            [("stats-admin", "admin"), ("mod", "mod"), ("billing", "accounts")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        Wanted { subject: "ann", name: None, roles: &roles, issuer: None, audience: None, now: 1000, lifetime: 60 }.claims(&issuer)
    }

    #[test]
    fn roles_stand_where_the_issuers_settings_look_for_them_and_under_its_names() {
        for (roles, paths, at, expected) in [
            (&["admin"][..], vec!["roles".into()], "/roles", json!(["stats-admin"])),
            (&["admin"], vec!["role".into(), "roles".into()], "/role", json!("stats-admin")),
            (&["admin", "mod"], vec!["role".into(), "roles".into()], "/roles", json!(["stats-admin", "mod"])),
            (&["accounts"], vec!["realm_access.roles".into()], "/realm_access/roles", json!(["billing"])),
            (&["billing"], vec!["realm_access.roles".into()], "/realm_access/roles", json!(["billing"])),
            (&["mod"], vec![RolePath::Keys(vec!["https://example.com/roles".to_owned()])], "/https:~1~1example.com~1roles", json!(["mod"])),
            (&["mod", "admin"], vec!["scope".into()], "/scope", json!("mod stats-admin")),
        ] {
            let claims = claims(roles, paths).unwrap();
            assert_eq!(claims.pointer(at), Some(&expected), "{claims}");
            assert_eq!((&claims["iss"], &claims["aud"], &claims["exp"]), (&json!("https://id.example.com"), &json!("us"), &json!(1060)));
        }
    }

    #[test]
    fn what_would_grant_nothing_is_refused_with_what_there_is() {
        for (roles, paths, part) in [
            (&["root"][..], vec!["roles".into()], "it gives accounts, mod, admin"),
            (&["mod"], vec![], "role_paths"),
            (&["mod"], vec!["sub".into()], "another claim stands there"),
            (&["mod"], vec!["sub.roles".into()], "another claim stands there"),
        ] {
            let error = claims(roles, paths).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
