//! Who sent a request: the user as the app says, the address as the socket and trusted proxies say.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, Request};

use super::{draft::Draft, proxies::Proxies, shared::Shared};
use crate::{access::Head, hit::network, user::User};

pub(super) fn note<B>(draft: &mut Draft, request: &Request<B>, shared: &Shared, peer: Option<IpAddr>) {
    let head = head_of(request, peer, &shared.proxies);
    if let Some(peer) = head.peer {
        let client = if head.from_proxy { shared.proxies.client(peer, head.headers) } else { peer };
        draft.facts.address = Some(network(client));
    }
    if let Some(user) = head.extensions.get::<User>() {
        draft.put_user(user);
    } else if let Some(closure) = &shared.user
        && let Some(user) = closure(&head)
    {
        draft.put_user(&user);
    }
}

/// The request as guards and `user` closures see it.
pub(crate) fn head_of<'a, B>(request: &'a Request<B>, peer: Option<IpAddr>, proxies: &Proxies) -> Head<'a> {
    let peer = peer.or_else(|| socket(request.extensions()).map(|socket| socket.ip()));
    Head {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        extensions: request.extensions(),
        peer,
        from_proxy: peer.is_some_and(|peer| proxies.trust(peer)),
    }
}

fn socket(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    {
        use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
        if let Some(ConnectInfo(socket)) = extensions.get::<ConnectInfo<SocketAddr>>() {
            return Some(*socket);
        }
        if let Some(MockConnectInfo(socket)) = extensions.get::<MockConnectInfo<SocketAddr>>() {
            return Some(*socket);
        }
    }
    extensions.get::<SocketAddr>().copied()
}
