// Command issuer is an OpenID Connect issuer that gives a token to everybody
// who asks. It listens on loopback and its key lives in memory.
//
//	issuer ADDRESS
//
// Two issuers, /email (people) and /ci (tokens shaped like those of GitHub
// Actions), each with
//
//	/.well-known/openid-configuration, /keys   what Fulcio reads
//	/token?CLAIM=VALUE…                        a token as text; claims can be replaced
//
// and /actions, the endpoint that a runner of GitHub Actions offers to its
// steps: clients add &audience=… and send "Authorization: Bearer interop".
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"os"
	"time"
)

const (
	keyID    = "interop"
	bearer   = "Bearer interop"
	lifetime = 10 * time.Minute
)

type claims map[string]any

// issuer is one issuer of this server.
type issuer struct {
	url    string
	key    *rsa.PrivateKey
	claims claims // what a token says unless the request says otherwise
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: issuer ADDRESS")
	}
	address := os.Args[1]
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	email := &issuer{"http://" + address + "/email", key, emailClaims()}
	ci := &issuer{"http://" + address + "/ci", key, ciClaims()}

	mux := http.NewServeMux()
	for path, issuer := range map[string]*issuer{"/email": email, "/ci": ci} {
		mux.HandleFunc("GET "+path+"/.well-known/openid-configuration", issuer.configuration)
		mux.HandleFunc("GET "+path+"/keys", issuer.keys)
		mux.HandleFunc("GET "+path+"/token", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, issuer.token(r))
		})
	}
	mux.HandleFunc("GET /actions", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != bearer && r.Header.Get("Authorization") != "bearer interop" {
			http.Error(w, "wrong request token", http.StatusUnauthorized)
			return
		}
		answer(w, map[string]any{"value": ci.token(r)})
	})
	log.Fatal(http.ListenAndServe(address, mux))
}

func emailClaims() claims {
	return claims{"sub": "dev", "email": "dev@interop.test", "email_verified": true}
}

// ciClaims are those that Fulcio turns into certificate extensions for GitHub.
func ciClaims() claims {
	const (
		repository = "interop/app"
		ref        = "refs/heads/main"
		commit     = "0123456789abcdef0123456789abcdef01234567"
		workflow   = repository + "/.github/workflows/release.yml@" + ref
	)
	return claims{
		"sub":                   "repo:" + repository + ":ref:" + ref,
		"repository":            repository,
		"repository_id":         "1001",
		"repository_owner":      "interop",
		"repository_owner_id":   "2002",
		"repository_visibility": "public",
		"ref":                   ref,
		"sha":                   commit,
		"workflow":              "release",
		"workflow_ref":          workflow,
		"workflow_sha":          commit,
		"job_workflow_ref":      workflow,
		"job_workflow_sha":      commit,
		"event_name":            "push",
		"run_id":                "3003",
		"run_attempt":           "1",
		"runner_environment":    "github-hosted",
	}
}

func (i *issuer) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              i.url + "/keys",
		"authorization_endpoint":                i.url + "/authorize",
		"token_endpoint":                        i.url + "/token",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"keys": []any{map[string]any{
		"kid": keyID, "kty": "RSA", "alg": "RS256", "use": "sig",
		"n": base64url(i.key.N.Bytes()),
		"e": base64url(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// token signs the claims of the issuer, with those of the request's query.
func (i *issuer) token(r *http.Request) string {
	now := time.Now()
	body := claims{"iss": i.url, "aud": "sigstore", "iat": now.Unix(), "exp": now.Add(lifetime).Unix()}
	for name, value := range i.claims {
		body[name] = value
	}
	for name, values := range r.URL.Query() {
		if name == "audience" {
			name = "aud"
		}
		body[name] = values[0]
	}
	head := claims{"alg": "RS256", "typ": "JWT", "kid": keyID}
	text := base64url(encode(head)) + "." + base64url(encode(body))
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, hash[:])
	if err != nil {
		log.Fatal(err)
	}
	return text + "." + base64url(signature)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(encode(value))
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return text
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
