// Command timestamp-server is Sigstore's timestamp authority.
//
//	timestamp-server --port PORT --key FILE --chain FILE
//
// The server is the project's own; the command that comes with it insists on a
// fixed port for its metrics, on every interface, so that two cannot run on one
// machine.
package main

import (
	"flag"
	"log"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

const timeout = 10 * time.Second

func main() {
	port := flag.Int("port", 0, "where to listen, on loopback")
	key := flag.String("key", "", "private key, PKCS#8 in PEM")
	chain := flag.String("chain", "", "certificates from the leaf to the root, PEM")
	flag.Parse()

	// The settings that the command would make, with its defaults.
	for name, value := range map[string]any{
		"timestamp-signer":         "file",
		"timestamp-signer-hash":    "sha256",
		"file-signer-key-path":     *key,
		"certificate-chain-path":   *chain,
		"enforce-intermediate-eku": true,
		"max-request-body-size":    1 << 20,
		"default-policy-oid":       "1.3.6.1.4.1.57264.2",
		"accepted-policy-oids":     []string{"1.3.6.1.4.1.57264.2"},
	} {
		viper.Set(name, value)
	}
	log.Fatal(server.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, timeout, timeout).Serve())
}
