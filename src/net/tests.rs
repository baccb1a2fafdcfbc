#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::*;

fn bind(transport: Transport) -> Bind {
    Bind { transport, address: "127.0.0.1:0".parse().unwrap(), known_as: None }
}

fn net(peer: Peer) -> Net {
    let open = |bind: Bind| match bind.transport {
        Transport::Udp => std::net::UdpSocket::bind(bind.address).map(Opened::Udp),
        Transport::Tcp => std::net::TcpListener::bind(bind.address).map(Opened::Tcp),
    };
    Net::bind(&[bind(Transport::Udp), bind(Transport::Tcp)], open, move |_| peer, None).unwrap()
}

#[tokio::test]
async fn datagrams_come_with_their_source_and_go_to_their_target() {
    let mut net = net(Peer::Friend);
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.send_to(b"hello", net.addresses()[0]).await.unwrap();
    let Arrival::Datagram { flow, bytes, .. } = net.next().await else { panic!("no datagram") };
    assert_eq!((flow.remote, &bytes[..]), (peer.local_addr().unwrap(), &b"hello"[..]));
    net.send(flow, Bytes::from_static(b"and to you"));
    net.flush();
    let mut buffer = [0; 100];
    let (length, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (&b"and to you"[..], net.addresses()[0]));
}

#[tokio::test]
async fn a_burst_longer_than_a_batch_comes_whole_and_in_order() {
    let mut net = net(Peer::Friend);
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for number in 0..100u8 {
        sender.send_to(&[number], net.addresses()[0]).await.unwrap();
    }
    for number in 0..100u8 {
        let Arrival::Datagram { bytes, .. } = net.next().await else { panic!("no datagram") };
        assert_eq!(bytes[..], [number]);
    }
    assert_eq!(net.counters().received, 100);
}

#[tokio::test]
async fn a_stream_that_a_peer_opened_carries_both_ways_and_its_end_is_told() {
    let mut net = net(Peer::Friend);
    let mut peer = TcpStream::connect(net.addresses()[1]).await.unwrap();
    peer.write_all(b"hello").await.unwrap();
    let Arrival::Chunk(flow, bytes) = net.next().await else { panic!("no chunk") };
    assert_eq!(&bytes[..], b"hello");
    net.send(flow, Bytes::from_static(b"hi"));
    let mut buffer = [0; 2];
    peer.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"hi");
    drop(peer);
    assert_eq!(net.next().await, Arrival::Closed(flow));
}

#[tokio::test]
async fn a_stream_is_opened_for_the_first_message() {
    let mut net = net(Peer::Friend);
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let flow =
        Flow { transport: Transport::Tcp, listener: ListenerId(1), remote: peer.local_addr().unwrap() };
    net.send(flow, Bytes::from_static(b"first"));
    net.send(flow, Bytes::from_static(b"second"));
    let (mut stream, _) = peer.accept().await.unwrap();
    let mut buffer = [0; 11];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"firstsecond");
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_is_told_as_closed() {
    let mut net = net(Peer::Friend);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let remote = free.local_addr().unwrap();
    drop(free);
    let flow = Flow { transport: Transport::Tcp, listener: ListenerId(1), remote };
    net.send(flow, Bytes::from_static(b"anyone?"));
    assert_eq!(net.next().await, Arrival::Closed(flow));
}

#[tokio::test]
async fn strangers_find_few_places_and_friends_find_theirs() {
    let stranger_net = net(Peer::Stranger);
    let mut streams = Vec::new();
    for _ in 0..70 {
        streams.push(TcpStream::connect(stranger_net.addresses()[1]).await.unwrap());
    }
    // The ones above the limit are closed by us: reading them ends.
    let mut last = streams.pop().unwrap();
    assert_eq!(last.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
