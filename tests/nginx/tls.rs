use std::process::Command;

use crate::{
    client::get,
    site::{PASSWORD, Site},
};

/// As the files are shipped, `$scheme` and all: curl keeps `__Host-` cookies as browsers do.
#[test]
#[ignore = "wants NGINX and curl"]
fn over_tls_a_browser_signs_in_and_comes_back() {
    let site = Site::of_the_example(&[("map $server_port $proto { default https; }", "map $scheme $proto { default $scheme; }")]);
    let port = site.nginx.tls.port();
    let curl = |args: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--resolve", &format!("localhost:{port}:127.0.0.1"), "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"]);
        curl.arg("--cacert").arg(site.nginx.path("cert.pem"));
        for flag in ["-b", "-c"] {
            curl.arg(flag).arg(site.nginx.path("cookies"));
        }
        let out = curl.args(args).arg(format!("https://localhost:{port}{path}")).output().expect("curl is installed");
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().replace(&format!("https://localhost:{port}"), "")
    };
    let navigate = ["-H", "Sec-Fetch-Mode: navigate"];
    let form = format!("password={PASSWORD}");
    let origin = format!("Origin: https://localhost:{port}");
    assert_eq!(curl(&navigate, "/app?a=1&b=2"), "303 /analytics/login?next=%2Fapp%3Fa%3D1%26b%3D2");
    let send = ["-H", &origin, "-d", "username=ann", "--data-urlencode", &form, "--data-urlencode", "next=/app?a=1&b=2"];
    assert_eq!(curl(&send, "/analytics/login"), "303 /app?a=1&b=2");
    assert_eq!(curl(&navigate, "/app?a=1&b=2"), "200 ");
    // Another origin's form, or one over plain http, is not ours.
    assert_eq!(curl(&["-H", "Origin: https://evil.example", "-d", "username=ann"], "/analytics/login"), "403 ");
    assert_eq!(curl(&["-H", &format!("Origin: http://localhost:{port}"), "-d", "username=ann"], "/analytics/login"), "403 ");

    // Over plain http there is nothing but the way to https, and no cookie.
    let reply = get(site.nginx.plain, "/app?a=1", "Sec-Fetch-Mode: navigate\r\n");
    assert_eq!((reply.status, reply.location()), (301, "https://127.0.0.1/app?a=1"));
    let over_http = get(site.address(), "/analytics/login", "");
    assert_eq!(over_http.header("set-cookie"), None);
}
