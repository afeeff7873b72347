// Command keys makes the keys and certificates of one private Sigstore
// instance, shaped like those of the public-good instance.
//
//	keys FOLDER
//
// Whoever runs it twice has two instances that do not trust each other.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// folder is where everything is written.
var folder string

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: keys FOLDER")
	}
	folder = os.Args[1]
	check(os.MkdirAll(folder, 0o700))

	// Fulcio: a root and the intermediate that signs.
	root := authority("fulcio root", nil, 1)
	signing := authority("fulcio intermediate", root, 0, x509.ExtKeyUsageCodeSigning)
	private("fulcio.key", signing.key)
	write("fulcio-root.pem", 0o644, root.pem())
	write("fulcio-chain.pem", 0o644, signing.pem(), root.pem())

	// The timestamp authority: the chain goes from the leaf to the root.
	tsaRoot := authority("tsa root", nil, 1)
	tsaCA := authority("tsa intermediate", tsaRoot, 0, x509.ExtKeyUsageTimeStamping)
	tsa := timestamper("tsa", tsaCA)
	private("tsa.key", tsa.key)
	write("tsa-chain.pem", 0o644, tsa.pem(), tsaCA.pem(), tsaRoot.pem())

	// The logs. The CT log reads SEC 1, everything else PKCS#8.
	ctlog := ec(elliptic.P256())
	write("ctlog.key", 0o600, block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ctlog))))
	public("ctlog.pub", ctlog.Public())
	rekor1 := ec(elliptic.P256())
	private("rekor1.key", rekor1)
	public("rekor1.pub", rekor1.Public())
	_, rekor2, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	private("rekor2.key", rekor2)
	public("rekor2.pub", rekor2.Public())
}

// holder is a certificate with its private key.
type holder struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (h *holder) pem() []byte { return block("CERTIFICATE", h.cert.Raw) }

// authority makes a CA certificate; without an issuer it signs itself.
func authority(name string, issuer *holder, depth int, usage ...x509.ExtKeyUsage) *holder {
	return issue(ec(elliptic.P384()), issuer, &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"interop.test"}, CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLen:            depth,
		MaxPathLenZero:        depth == 0,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           usage,
	})
}

// timestamper makes the leaf of a timestamp authority. RFC 3161, 2.3, wants
// its extended key usage to be critical, which x509.ExtKeyUsage cannot say.
func timestamper(name string, issuer *holder) *holder {
	extKeyUsage := asn1.ObjectIdentifier{2, 5, 29, 37}
	timeStamping := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	usage := must(asn1.Marshal([]asn1.ObjectIdentifier{timeStamping}))
	return issue(ec(elliptic.P256()), issuer, &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"interop.test"}, CommonName: name},
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtraExtensions:       []pkix.Extension{{Id: extKeyUsage, Critical: true, Value: usage}},
	})
}

func issue(key *ecdsa.PrivateKey, issuer *holder, template *x509.Certificate) *holder {
	template.SerialNumber = must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)))
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	if issuer == nil {
		issuer = &holder{template, key}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key))
	return &holder{must(x509.ParseCertificate(der)), key}
}

func ec(curve elliptic.Curve) *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

func private(name string, key crypto.PrivateKey) {
	write(name, 0o600, block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))))
}

func public(name string, key crypto.PublicKey) {
	write(name, 0o644, block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key))))
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func write(name string, mode os.FileMode, blocks ...[]byte) {
	var text []byte
	for _, b := range blocks {
		text = append(text, b...)
	}
	check(os.WriteFile(filepath.Join(folder, name), text, mode))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
