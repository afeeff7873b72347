// Command olareg is the registry of that name, in memory.
//
//	olareg ADDRESS
//
// The server is the project's own. It forgets one of two referrers of one
// subject that are pushed at the same moment (0.1.2: the list is read, changed
// and stored without a lock), as several clients do. So that the matrix does
// not depend on luck, manifests are taken here one after the other.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: olareg ADDRESS")
	}
	yes := true
	registry := olareg.New(config.Config{
		Storage: config.ConfigStorage{StoreType: config.StoreMem},
		API:     config.ConfigAPI{DeleteEnabled: &yes},
	})
	var manifests sync.Mutex
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changes := r.Method == http.MethodPut || r.Method == http.MethodDelete
		if changes && strings.Contains(r.URL.Path, "/manifests/") {
			manifests.Lock()
			defer manifests.Unlock()
		}
		registry.ServeHTTP(w, r)
	})))
}
