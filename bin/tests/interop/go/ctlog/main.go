// Command ctlog is a certificate transparency log (static-ct-api) for the
// certificates of one private Fulcio, in a folder.
//
// It is TesseraCT's library with a main of our own: the one that comes with it
// needs versions of its dependencies that have no tag.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera"
	files "github.com/transparency-dev/tessera/storage/posix"
	antispam "github.com/transparency-dev/tessera/storage/posix/antispam"
	"github.com/transparency-dev/tesseract"
	"github.com/transparency-dev/tesseract/storage"
	"github.com/transparency-dev/tesseract/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// An SCT is given once a checkpoint covers the certificate, so these bound how
// long one signature takes.
const (
	checkpoints = 200 * time.Millisecond
	batches     = 50 * time.Millisecond
)

func main() {
	address := flag.String("address", "", "where to listen")
	origin := flag.String("origin", "", "name of the log in checkpoints")
	folder := flag.String("folder", "", "where the log is kept")
	key := flag.String("key", "", "EC private key, SEC 1 in PEM")
	roots := flag.String("roots", "", "certificates that the log takes chains to, PEM")
	flag.Parse()
	if err := serve(*address, *origin, *folder, *key, *roots); err != nil {
		log.Fatal(err)
	}
}

func serve(address, origin, folder, key, roots string) error {
	ctx := context.Background()
	signer, err := readKey(key)
	if err != nil {
		return err
	}
	backup, err := posix.NewRootsStorage(ctx, folder)
	if err != nil {
		return err
	}
	chains := tesseract.ChainValidationConfig{
		RootsPEMFile:           roots,
		RootsRemoteFetchBackup: backup,
		ExtKeyUsages:           "CodeSigning",
	}
	open := func(ctx context.Context, signer note.Signer) (*storage.CTStorage, error) {
		return openLog(ctx, folder, signer)
	}
	limits := tesseract.LogHandlerOpts{DedupRL: 100, MaxCertChainBytes: 512 << 10}
	handler, err := tesseract.NewLogHandler(ctx, origin, signer, chains, open, 10*time.Second, false, "", limits)
	if err != nil {
		return err
	}
	return http.ListenAndServe(address, handler)
}

func openLog(ctx context.Context, folder string, signer note.Signer) (*storage.CTStorage, error) {
	driver, err := files.New(ctx, files.Config{Path: folder})
	if err != nil {
		return nil, err
	}
	// Without it, a certificate that is submitted twice would get two entries.
	seen, err := antispam.NewAntispam(ctx, filepath.Join(folder, ".state", "antispam"), antispam.AntispamOpts{})
	if err != nil {
		return nil, err
	}
	options := tessera.NewAppendOptions().
		WithCTLayout().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(checkpoints).
		WithBatching(256, batches).
		WithAntispam(256, seen)
	appender, _, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return nil, err
	}
	issuers, err := posix.NewIssuerStorage(ctx, folder)
	if err != nil {
		return nil, err
	}
	return storage.NewCTStorage(ctx, &storage.CTStorageOptions{
		Appender:            appender,
		Reader:              reader,
		IssuerStorage:       issuers,
		AwaiterPollInterval: batches,
		EnablePubAwaiter:    true,
	})
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM in it", path)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}
