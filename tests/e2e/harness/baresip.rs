pub struct Baresip;
