use serde::{Deserialize, Serialize};

use super::{
    json::{Json, Object},
    role_path::RolePath,
};

/// What a claim of an issuer's tokens must be, beyond those that have settings of their own: `{ path = "email_verified", eq = true }`.
/// A token that does not keep to one is refused, as if it were by somebody else.
///
/// Values are compared exactly, with their type: `"1"` is not `1`, and no text is split. A claim that is not there keeps to no rule but
/// `exists = false`.
///
/// ```
/// use tower_analytics::auth::{ClaimRule, Issuer};
///
/// let mut main = Issuer::new("https://id.example.com/realms/main", ["tower-analytics"]);
/// main.claim_rules = vec![
///     ClaimRule::eq("email_verified", true),
///     ClaimRule::any_of("tenant.region", ["eu", "uk"]),
///     ClaimRule::exists("act", false),
/// ];
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClaimRule {
    /// Where the claim stands.
    pub path: RolePath,
    /// It is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eq: Option<ClaimValue>,
    /// It is one of these, or a list that has one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<ClaimValue>>,
    /// It is a list that has all of these; what is no list counts as one of one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_of: Option<Vec<ClaimValue>>,
    /// Whether it is there. `null` is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

/// A value that a claim can be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ClaimValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, between -2^53 and 2^53.
    Number(i64),
    /// A text.
    Text(String),
}

impl ClaimRule {
    fn on(path: impl Into<RolePath>) -> Self {
        Self { path: path.into(), eq: None, any_of: None, all_of: None, exists: None }
    }

    /// The claim is this.
    pub fn eq(path: impl Into<RolePath>, value: impl Into<ClaimValue>) -> Self {
        Self { eq: Some(value.into()), ..Self::on(path) }
    }

    /// The claim is one of these, or a list that has one of them.
    pub fn any_of<V: Into<ClaimValue>>(path: impl Into<RolePath>, values: impl IntoIterator<Item = V>) -> Self {
        Self { any_of: Some(values.into_iter().map(Into::into).collect()), ..Self::on(path) }
    }

    /// The claim is a list that has all of these.
    pub fn all_of<V: Into<ClaimValue>>(path: impl Into<RolePath>, values: impl IntoIterator<Item = V>) -> Self {
        Self { all_of: Some(values.into_iter().map(Into::into).collect()), ..Self::on(path) }
    }

    /// Whether the claim is there.
    pub fn exists(path: impl Into<RolePath>, exists: bool) -> Self {
        Self { exists: Some(exists), ..Self::on(path) }
    }

    /// What is wrong with it, as a clause that continues "a rule ..".
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let keys = self.path.keys();
        let lists = [&self.any_of, &self.all_of];
        let asked = [self.eq.is_some(), self.any_of.is_some(), self.all_of.is_some(), self.exists.is_some()];
        let values = self.eq.iter().chain(lists.into_iter().flatten().flatten());
        if keys.is_empty() || keys.iter().any(String::is_empty) {
            return Some("has an empty key in its `path`");
        }
        if asked.into_iter().filter(|is_there| *is_there).count() != 1 {
            return Some("needs exactly one of `eq`, `any_of`, `all_of`, `exists`");
        }
        if lists.into_iter().flatten().any(Vec::is_empty) {
            return Some("has an empty list, which nothing or everything keeps to");
        }
        values.into_iter().any(ClaimValue::is_inexact).then_some("has a number that JSON does not hold exactly")
    }
}

impl ClaimValue {
    /// From 2^53 on two whole numbers are one in most parsers, ours among them.
    fn is_inexact(&self) -> bool {
        matches!(self, Self::Number(number) if number.unsigned_abs() >= 1 << 53)
    }

    fn is(&self, claim: &Json<'_>) -> bool {
        match (self, claim) {
            (Self::Bool(ours), Json::Bool(theirs)) => ours == theirs,
            (Self::Number(ours), Json::Number(theirs)) => *ours as f64 == *theirs,
            (Self::Text(ours), Json::Text(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

/// A rule whose path has been looked through.
#[derive(Debug)]
pub(super) struct Required {
    path: Vec<String>,
    rule: ClaimRule,
}

impl Required {
    pub(super) fn new(rule: &ClaimRule) -> Self {
        Self { path: rule.path.keys(), rule: rule.clone() }
    }

    pub(super) fn is_kept_by(&self, claims: &Object<'_>) -> bool {
        let claim = claims.at(&self.path).filter(|claim| **claim != Json::Null);
        let has = |value: &ClaimValue| match claim {
            Some(Json::List(list)) => list.iter().any(|item| value.is(item)),
            Some(claim) => value.is(claim),
            None => false,
        };
        let ClaimRule { eq, any_of, all_of, exists, .. } = &self.rule;
        eq.as_ref().is_none_or(|value| claim.is_some_and(|claim| value.is(claim)))
            && any_of.as_ref().is_none_or(|values| values.iter().any(has))
            && all_of.as_ref().is_none_or(|values| values.iter().all(has))
            && exists.is_none_or(|wanted| claim.is_some() == wanted)
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
