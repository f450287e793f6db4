"""What several tests use: a gateway on loopback that is not the embedded endpoint, and real kernels."""
