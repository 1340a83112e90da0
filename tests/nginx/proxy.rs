//! NGINX as an ordinary process, with the files as they are shipped and other addresses.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::common::until;

pub(crate) struct Nginx {
    process: Child,
    directory: TempDir,
    /// The guarded site, as if over TLS: what reads `$scheme` in the files reads `https`.
    pub(crate) site: SocketAddr,
    /// The guarded site, over TLS.
    pub(crate) tls: SocketAddr,
    /// The site that leads to the other.
    pub(crate) plain: SocketAddr,
}

/// What is replaced in the shipped files besides.
pub(crate) type Changes<'a> = &'a [(&'a str, &'a str)];

impl Nginx {
    pub(crate) fn start(app: SocketAddr, backend: SocketAddr, changes: Changes<'_>) -> Self {
        // A port that was free may be taken a moment later.
        for _ in 0..5 {
            if let Some(nginx) = Self::try_start(app, backend, changes) {
                return nginx;
            }
        }
        panic!("no ports are free");
    }

    fn try_start(app: SocketAddr, backend: SocketAddr, changes: Changes<'_>) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let [site, tls, plain] = free_ports();
        let at = |name: &str| directory.path().join(name).display().to_string();
        certificate(directory.path());
        let temporary: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|what| format!("{what}_temp_path {};\n", at(what))).collect();
        let scheme = |file: &str| file.replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto $proto");
        let replaced = [
            ("user www-data;", "user root;\ndaemon off;".to_owned()),
            ("worker_processes auto;", "worker_processes 1;".to_owned()),
            ("/run/nginx.pid", at("pid")),
            ("/var/log/nginx/error.log", at("error.log")),
            ("/var/log/nginx/access.log", at("access.log")),
            ("sendfile on;", format!("{temporary}map $server_port $proto {{ default https; }}")),
            ("server 127.0.0.1:3000;", format!("server {app};")),
            ("server 127.0.0.1:8080;", format!("server {backend};")),
            ("listen 80;\n    listen [::]:80;", format!("listen {plain};")),
            ("listen 443 ssl;\n    listen [::]:443 ssl;", format!("listen {site};\n    listen {tls} ssl;")),
            ("/etc/letsencrypt/live/stats.example.com/fullchain.pem", at("cert.pem")),
            ("/etc/letsencrypt/live/stats.example.com/privkey.pem", at("key.pem")),
            ("/dev/shm/analytics_verify", at("cache")),
        ];
        let all = replaced.iter().map(|(old, new)| (*old, &**new)).chain(changes.iter().copied());
        let mut files: Vec<(PathBuf, String)> = shipped();
        for (old, new) in all {
            assert!(files.iter().any(|(_, text)| text.contains(old)), "examples/nginx has no {old:?}");
            files.iter_mut().for_each(|(_, text)| *text = text.replace(old, new));
        }
        for (name, text) in files {
            fs::write(directory.path().join(name), scheme(&text)).unwrap();
        }
        let mut process = nginx().arg("-c").arg(at("nginx.conf")).arg("-e").arg(at("error.log")).spawn().expect("NGINX is installed");
        let mut ended = None;
        // It writes this once it listens.
        until("NGINX listens", || {
            ended = process.try_wait().unwrap();
            ended.is_some() || fs::read(at("pid")).is_ok_and(|pid| !pid.is_empty())
        });
        let nginx = Self { process, directory, site, tls, plain };
        let taken = ended.is_some() && nginx.log().contains("Address already in use");
        assert!(ended.is_none() || taken, "NGINX does not start: {}", nginx.log());
        (!taken).then_some(nginx)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("NGINX said:\n{}", self.log());
        }
        // The master asks its workers to end; killed, it would leave them behind.
        drop(Command::new("kill").arg(self.process.id().to_string()).status());
        drop(self.process.wait());
    }
}

fn nginx() -> Command {
    let there = Path::new("/usr/sbin/nginx");
    let mut command = Command::new(if there.exists() { there } else { Path::new("nginx") });
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn shipped() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nginx");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().into(), fs::read_to_string(&path).unwrap())).collect()
}

fn free_ports() -> [SocketAddr; 3] {
    [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap()).map(|listener| listener.local_addr().unwrap())
}

fn certificate(directory: &Path) {
    let args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem";
    let mut openssl = Command::new("openssl");
    openssl.args(args.split_whitespace()).current_dir(directory).stderr(Stdio::null());
    assert!(openssl.status().expect("openssl is installed").success());
}
