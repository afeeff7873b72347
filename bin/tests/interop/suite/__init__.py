"""Runs cg-attest against real Sigstore servers, registries and other clients."""
