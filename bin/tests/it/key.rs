//! Keys of people: as OpenSSL writes them, and as cosign encrypts them. Both
//! are only in these tests.

use crate::support::command::{Ran, cg_attest, cg_attest_with};
use crate::support::signing::Scene;

/// Made for this test by programs of others: scrypt of Python's standard
/// library and the `secretbox` of libsodium, in the form of `cosign generate-key-pair`.
pub(crate) const COSIGN: &str = "\
-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJpWmQwc3RCUDFvZ0xIZWtSSG1DZ2pUOUV6MnVWbk9H
bXFSNGhFTEdyVnhBPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiIvVVFaWXdKN2dUSlVDUkY3Y0R2UFd0WWFqcEFNbjNPQiJ9LCJj
aXBoZXJ0ZXh0IjoiV0s3SXRQOFFxMDhZdXNESWlYVWhpQncxaFhOVzhqQzlrZlRx
RnJGcUxWYlpGZG8rOHBlSmRsL213ZlBkeE5ZRVdSRzZyMnFuL0M5S25ZMFhzRy9y
VGlBYlhsWjU3cnVxZW5SNVlWK013ZXRjN2Fod2IxNmo2aVVXUzRSaklhUmY5b1B5
c1dESDN6bVNIRXpnVkxOVUU3dlVtc1hYQ2E1TUwxNEN4YlAvNEw2VFluSytlcXhv
VWd5dy93UTZwclRmOWJVdFdwZyt4cnNDeXc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
";
pub(crate) const PASSWORD: &str = "correct horse";
/// Its public half.
const PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETo6G+CEbHmLOB/htcb58ZflUAUVZ
gt21ceDy+1UtrrtBYmmeEIVeA5eY/Gs0MMZtLkaadW5K1k4rLQ2wNy/2IQ==
-----END PUBLIC KEY-----
";
/// Another one, not encrypted, and its public half.
pub(crate) const PLAIN: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6auTK0BX4+kQPItW
5Ss1ljwVRTT5uh6J7BE70slLllOhRANCAARNJQZHau/SGrd9OU9cSF0WwEIn6cwm
YCysdKzXFiIkWUUyzN878jm3GQG+LDnbv9f9Ffl8nNQke0RB1TbwASL/
-----END PRIVATE KEY-----
";
const OTHER: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETSUGR2rv0hq3fTlPXEhdFsBCJ+nM
JmAsrHSs1xYiJFlFMszfO/I5txkBviw527/X/RX5fJzUJHtEQdU28AEi/w==
-----END PUBLIC KEY-----
";

impl Scene {
    fn signs_with(&self, key: &str, variables: &[(&str, &str)]) -> Ran {
        let (name, root, config) = (self.name(), self.text("root"), self.text("v2"));
        std::fs::write(self.path("key"), key).expect("a file");
        let flags = ["sign", &name, "--no-recursive", "--trusted-root", &root, "--signing-config", &config];
        let key = self.text("key");
        cg_attest_with([&flags[..], &["--key", &key]].concat(), variables, "")
    }
}

#[test]
fn a_key_of_cosigns_signs_with_its_password() {
    let scene = Scene::new();
    for (key, variables, part) in [
        (COSIGN, &[][..], "there is no password"),
        (COSIGN, &[("COSIGN_PASSWORD", "")], "not opened by this password"),
        (COSIGN, &[("COSIGN_PASSWORD", "guessed")], "not opened by this password"),
        (&COSIGN.replace("SIGSTORE ", "SIGSTORE RSA "), &[("COSIGN_PASSWORD", PASSWORD)], "encrypted"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", &[], "openssl pkey"),
    ] {
        let ran = scene.signs_with(key, variables);
        assert!(ran.code == 2 && ran.stderr.contains("error[key-unusable]"), "{part}: {}", ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stderr.contains("→"), "{part}: {}", ran.stderr);
        assert!(!ran.stderr.contains("guessed"), "{}", ran.stderr);
    }
    assert!(scene.server.requests().is_empty() && scene.writes().is_empty());
    let ran = scene.signs_with(COSIGN, &[("COSIGN_PASSWORD", PASSWORD)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // It is this key: its public half verifies, and another one does not.
    std::fs::write(scene.path("public"), PUBLIC).expect("a file");
    let (name, root, public) = (scene.name(), scene.text("root"), scene.text("public"));
    let verify = |key: &str| cg_attest(["verify", &name, "--trusted-root", &root, "--key", key]);
    let verified = verify(&public);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    std::fs::write(&public, OTHER).expect("a file");
    assert_eq!(verify(&public).code, 1);
    let ran = scene.signs_with(PLAIN, &[]);
    assert_eq!((ran.code, verify(&public).code), (0, 0), "{}", ran.stderr);
}

#[test]
fn a_key_that_is_not_in_a_file_is_said_to_be_out_of_reach() {
    let scene = Scene::new();
    let (name, root, config) = (scene.name(), scene.text("root"), scene.text("v2"));
    let flags = ["sign", &name, "--trusted-root", &root, "--signing-config", &config];
    for key in ["awskms:///alias/a", "gcpkms://projects/p", "hashivault://key", "k8s://ns/key", "env://KEY"] {
        let ran = cg_attest([&flags[..], &["--key", key]].concat());
        assert!(ran.code == 2 && ran.stderr.contains("error[key-unusable]"), "{key}: {}", ran.stderr);
    }
}
