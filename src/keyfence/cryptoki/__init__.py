"""Everything that can make TLS keys, as one typed protocol; C structs exist at this room's edges only."""
