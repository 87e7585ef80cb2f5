//! The sockets: bound before anything else is touched, with words for the one whose address does not do.

use crate::{
    config::{Config, HttpListen, Tls},
    failure::Failure,
};
use std::{io, net::SocketAddr};
use tokio::net::TcpListener;

/// Where a server listens.
pub(crate) struct Listeners {
    pub(crate) public: TcpListener,
    /// For what comes in clear, beside a public one with TLS.
    pub(crate) clear: Option<TcpListener>,
    /// For `/metrics` apart from the public one.
    pub(crate) metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds what a configuration asks for. `command` is the one that somebody has typed.
    pub(crate) async fn bind(
        config: &Config,
        public: SocketAddr,
        command: &'static str,
    ) -> Result<Self, Failure> {
        let bind = async |setting, listen| {
            TcpListener::bind(listen).await.map_err(|error| unbound(setting, listen, command, &error))
        };
        let clear = match (config.tls, config.http_listen) {
            (Tls::Off, _) | (_, HttpListen::Off) => None,
            (_, HttpListen::At(listen)) => Some(listen),
            (_, HttpListen::Beside) => (public.port() == HTTPS).then(|| SocketAddr::new(public.ip(), HTTP)),
        };
        Ok(Self {
            public: bind("LATCHSTRING_LISTEN", public).await?,
            clear: match clear {
                Some(listen) => Some(bind("LATCHSTRING_HTTP_LISTEN", listen).await?),
                None => None,
            },
            metrics: match config.metrics_listen {
                Some(listen) => Some(bind("LATCHSTRING_METRICS_LISTEN", listen).await?),
                None => None,
            },
        })
    }
}

/// The ports of the two schemes.
pub(crate) const HTTPS: u16 = 443;
const HTTP: u16 = 80;

/// Ports below this one are kept for root, unless the machine is set up otherwise.
const FIRST_FREE: u16 = 1024;

fn unbound(setting: &str, listen: SocketAddr, command: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AddrInUse => Failure::failed(format!(
            "{listen} is taken by another program, perhaps another Latchstring (ss -ltnp shows which). \
             Stop that one, or choose another port: {setting}={} latchstring {command}{}",
            free(listen),
            if command == "serve" && setting == "LATCHSTRING_LISTEN" {
                ", and tell the proxy in front"
            } else {
                ""
            }
        )),
        io::ErrorKind::PermissionDenied if listen.port() < FIRST_FREE => Failure::usage(format!(
            "{setting}: {listen} can't be listened on: {error}. Ports below {FIRST_FREE} are kept for root. Use one from \
             {FIRST_FREE} on, or give the right to this one: in the systemd unit \
             AmbientCapabilities=CAP_NET_BIND_SERVICE (and the same in CapabilityBoundingSet=, where that is set), or \
             setcap cap_net_bind_service=+ep on the file of the program"
        )),
        io::ErrorKind::AddrNotAvailable => Failure::usage(format!(
            "{setting}: {listen} can't be listened on: this machine does not have the address {}. Use one that \
             `ip address` shows, 127.0.0.1 for this machine alone, or 0.0.0.0 for all of them",
            listen.ip()
        )),
        _ => Failure::failed(format!(
            "{setting}: {listen} can't be listened on: {error}. Choose another address or port"
        )),
    }
}

/// A port near by that nobody has.
fn free(taken: SocketAddr) -> SocketAddr {
    (taken.port()..taken.port().saturating_add(50))
        .map(|port| SocketAddr::new(taken.ip(), port))
        .find(|other| std::net::TcpListener::bind(other).is_ok())
        .unwrap_or_else(|| SocketAddr::new(taken.ip(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FAILED, USAGE};

    fn said(listen: &str, kind: io::ErrorKind, command: &str) -> (u8, String) {
        let listen = listen.parse().expect("an address");
        let failure = unbound("LATCHSTRING_LISTEN", listen, command, &kind.into());
        (failure.code, failure.text)
    }

    #[test]
    fn a_port_that_is_kept_for_root_is_told_with_the_right_that_is_missing() {
        let (code, text) = said("127.0.0.1:80", io::ErrorKind::PermissionDenied, "serve");
        assert_eq!(code, USAGE);
        for part in [
            "LATCHSTRING_LISTEN: 127.0.0.1:80 ",
            "from 1024 on",
            "AmbientCapabilities=CAP_NET_BIND_SERVICE",
            "setcap cap_net_bind_service=+ep",
        ] {
            assert!(text.contains(part), "`{part}` is missing in: {text}");
        }
        // Something else forbids it (a sandbox).
        let (_, text) = said("127.0.0.1:8080", io::ErrorKind::PermissionDenied, "serve");
        assert!(!text.contains("setcap"), "{text}");
    }

    #[test]
    fn a_taken_or_foreign_address_is_told_with_another() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        let (code, text) = said(&address, io::ErrorKind::AddrInUse, "serve");
        assert_eq!(code, FAILED, "it may be free again in a moment");
        assert!(text.contains(&format!("{address} is taken")), "{text}");
        assert!(
            text.contains("LATCHSTRING_LISTEN=127.0.0.1:") && text.contains("the proxy in front"),
            "{text}"
        );
        assert!(!text.contains(&format!("LATCHSTRING_LISTEN={address}")), "{text}");
        let (code, text) = said("192.0.2.7:8080", io::ErrorKind::AddrNotAvailable, "serve");
        assert!(code == USAGE && text.contains("does not have the address 192.0.2.7"), "{text}");
    }
}
