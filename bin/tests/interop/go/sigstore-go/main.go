// Command sigstore-go verifies one bundle with the library sigstore-go, which
// has no command of its own.
//
//	sigstore-go --trusted-root FILE --identity NAME --issuer URL --digest sha256:HEX BUNDLE
//
// It asks for what the public-good instance promises: an SCT, a log entry and
// an observed time. On success it prints the predicate type, or nothing for a
// signature over the artifact.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

func main() {
	trustedRoot := flag.String("trusted-root", "", "trusted_root.json")
	identity := flag.String("identity", "", "subject of the certificate")
	issuer := flag.String("issuer", "", "who vouched for it")
	digest := flag.String("digest", "", "artifact, sha256:HEX")
	flag.Parse()
	predicate, err := verifyBundle(flag.Arg(0), *trustedRoot, *identity, *issuer, *digest)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(predicate)
}

func verifyBundle(path, trustedRoot, identity, issuer, digest string) (string, error) {
	trust, err := root.NewTrustedRootFromPath(trustedRoot)
	if err != nil {
		return "", err
	}
	verifier, err := verify.NewVerifier(trust,
		verify.WithSignedCertificateTimestamps(1),
		verify.WithTransparencyLog(1),
		verify.WithObserverTimestamps(1))
	if err != nil {
		return "", err
	}
	signer, err := verify.NewShortCertificateIdentity(issuer, "", identity, "")
	if err != nil {
		return "", err
	}
	hash, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return "", err
	}
	candidate, err := bundle.LoadJSONFromPath(path)
	if err != nil {
		return "", err
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", hash), verify.WithCertificateIdentity(signer))
	result, err := verifier.Verify(candidate, policy)
	if err != nil {
		return "", err
	}
	if result.Statement == nil {
		return "", nil
	}
	return result.Statement.PredicateType, nil
}
