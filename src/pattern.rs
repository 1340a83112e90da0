//! Route templates such as `/items/{id}`, alone and with a method in front.

use crate::error::{Error, ErrorKind};

/// Templates that raw paths are matched against, for services without axum.
#[derive(Clone, Default)]
pub(crate) struct Routes(matchit::Router<Box<str>>);

impl Routes {
    pub(crate) fn insert(&mut self, template: &str) -> Result<(), Error> {
        self.0.insert(template, template.into()).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                format!("route template {template:?} cannot be used: write it like \"/items/{{id}}\" or \"/files/{{*rest}}\""),
            )
            .with_source(error)
        })
    }

    pub(crate) fn matching(&self, path: &str) -> Option<&str> {
        self.0.at(path).ok().map(|found| &**found.value)
    }
}

/// A set of endpoint patterns: `GET /items/{id}`, `/pay/{*rest}` (any method), `OPTIONS *` (any path).
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(Vec<Endpoint>);

#[derive(Clone, Debug)]
struct Endpoint {
    method: Option<Box<str>>,
    path: Box<str>,
}

impl Endpoints {
    pub(crate) fn insert(&mut self, pattern: &str) -> Result<(), Error> {
        let (method, path) = match pattern.trim().split_once(' ') {
            Some((method, path)) => (Some(method.to_ascii_uppercase().into()), path.trim()),
            None => (None, pattern.trim()),
        };
        if path != "*" && !path.starts_with(['/', '(']) {
            let message = format!(
                "endpoint pattern {pattern:?} cannot be used: write it like \"GET /items/{{id}}\", \"/pay/{{*rest}}\" or \"OPTIONS *\""
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.0.push(Endpoint { method, path: path.into() });
        Ok(())
    }

    /// Whether any pattern covers this method and route template.
    pub(crate) fn cover(&self, method: &str, route: &str) -> bool {
        self.0.iter().any(|endpoint| {
            endpoint.method.as_deref().is_none_or(|wanted| wanted == method) && (&*endpoint.path == "*" || covers(&endpoint.path, route))
        })
    }
}

/// Segment by segment: `{name}` stands for one segment, `{*rest}` for all that follow.
fn covers(pattern: &str, route: &str) -> bool {
    let (mut pattern, mut route) = (pattern.split('/'), route.split('/'));
    loop {
        match (pattern.next(), route.next()) {
            (None, None) => return true,
            (Some(rest), Some(_)) if rest.starts_with("{*") => return true,
            (Some(one), Some(part)) if one == part || (one.starts_with('{') && one.ends_with('}')) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_template() {
        let mut routes = Routes::default();
        for template in ["/items", "/items/{id}", "/files/{*rest}"] {
            routes.insert(template).unwrap();
        }
        assert_eq!(routes.matching("/items/7"), Some("/items/{id}"));
        assert_eq!(routes.matching("/files/a/b"), Some("/files/{*rest}"));
        assert_eq!(routes.matching("/items/7/8"), None);
        assert!(routes.insert("/items/{id}/{").is_err());
    }

    #[test]
    fn endpoint_patterns_cover_methods_segments_and_rests() {
        let mut set = Endpoints::default();
        for pattern in ["OPTIONS *", "/health", "get /items/{id}", "/pay/{*rest}", "(unmatched)"] {
            set.insert(pattern).unwrap();
        }
        for (method, route, covered) in [
            ("OPTIONS", "/anything", true),
            ("POST", "/health", true),
            ("GET", "/items/{item}", true),
            ("POST", "/items/{item}", false),
            ("GET", "/items", false),
            ("PUT", "/pay/{shop}/now", true),
            ("PUT", "/pay", false),
            ("GET", "(unmatched)", true),
        ] {
            assert_eq!(set.cover(method, route), covered, "{method} {route}");
        }
        assert!(set.insert("health").is_err());
    }
}
