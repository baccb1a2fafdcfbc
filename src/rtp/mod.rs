//! RTP as bytes in and bytes out.
