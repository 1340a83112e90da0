//! What the settings say of revocations that do not say it themselves: for how long, and whose tokens.

use super::{
    config::{AuthConfig, Issuer},
    signin::revocations::Seconds,
};

/// The last moment that a token can name: for what has no end of its own.
pub(crate) const FOR_EVER: Seconds = 1 << 53;

impl AuthConfig {
    /// When the last token has ended by itself that could be good now; none if that may be never. A token without an `iat` lives as
    /// long from whenever it is looked at, so there the limit says nothing.
    pub(crate) fn revoked_until(&self, now: Seconds) -> Option<Seconds> {
        let is_bounded = self.max_token_lifetime_s > 0 && self.issuer.iter().all(|issuer| issuer.require_iat);
        // Clocks may differ at both ends, and seconds be broken.
        let longest = self.max_token_lifetime_s.saturating_add(2 * self.leeway_s).saturating_add(1);
        let until = now.saturating_add(Seconds::try_from(longest).unwrap_or(Seconds::MAX));
        (is_bounded && until < FOR_EVER).then_some(until)
    }

    /// As [`revoked_until`](Self::revoked_until) where the last token's `exp` is known.
    pub(crate) fn revoked_until_after(&self, expires: Seconds) -> Seconds {
        expires.saturating_add(Seconds::try_from(self.leeway_s).unwrap_or(Seconds::MAX)).saturating_add(1).min(FOR_EVER)
    }

    /// The issuer of this name, or the only one; what is wrong otherwise. `how` is where one is named.
    pub(crate) fn pick(&self, named: Option<&str>, how: &str) -> Result<&Issuer, String> {
        let found = match named {
            Some(name) => self.issuer.iter().find(|issuer| issuer.issuer == name || issuer.allow_any_issuer),
            None => Some(&self.issuer).filter(|all| all.len() == 1).and_then(|all| all.first()),
        };
        let names: Vec<&str> = self.issuer.iter().map(|issuer| issuer.issuer.as_str()).collect();
        found.ok_or_else(|| match named {
            Some(name) => format!("the settings have no issuer {name:?}, but {}", names.join(", ")),
            None => format!("the settings have several issuers, {}: choose one with {how}", names.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_is_kept_until_the_last_token_has_ended_if_that_is_known() {
        let mut config = AuthConfig { issuer: vec![Issuer::new("a", ["us"]), Issuer::new("b", ["us"])], ..AuthConfig::default() };
        assert_eq!(config.revoked_until(1000), Some(1000 + 86_400 + 61));
        assert_eq!(config.revoked_until_after(2000), 2031);
        config.issuer[1].require_iat = false;
        assert_eq!(config.revoked_until(1000), None, "without an iat the limit counts from each request anew");
        config.issuer.pop();
        config.max_token_lifetime_s = u64::MAX;
        assert_eq!(config.revoked_until(1000), None);
        config.max_token_lifetime_s = 0;
        assert_eq!(config.revoked_until(1000), None);
    }
}
