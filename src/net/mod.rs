//! Sockets of SIP: datagrams and streams to inputs, outputs to the wire.
