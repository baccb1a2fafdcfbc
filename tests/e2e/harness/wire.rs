pub struct Capture; pub struct Packet;
