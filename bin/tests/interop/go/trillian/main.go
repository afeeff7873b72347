// Command trillian is a Trillian log server with its sequencer, in memory.
//
//	trillian ADDRESS
//
// Rekor v1 keeps its entries in Trillian, whose own servers want a database.
// The trees are gone when it stops; what was signed stays verifiable.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	sequencer "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"google.golang.org/grpc"
)

// Rekor v1 answers once an entry is in the tree.
const sequencing = 100 * time.Millisecond

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: trillian ADDRESS")
	}
	trees := memory.NewTreeStorage()
	registry := extension.Registry{
		AdminStorage: memory.NewAdminStorage(trees),
		LogStorage:   memory.NewLogStorage(trees, nil),
		QuotaManager: quota.Noop(),
	}
	// Rekor tells "no such entry" by the gRPC status, which the interceptor sets.
	rpc := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianAdminServer(rpc, admin.New(registry, nil))
	trillian.RegisterTrillianLogServer(rpc, server.NewTrillianLogRPCServer(registry, clock.System))

	work := sequencer.OperationInfo{
		Registry:    registry,
		BatchSize:   64,
		NumWorkers:  1,
		RunInterval: sequencing,
		TimeSource:  clock.System,
	}
	manager := sequencer.NewOperationManager(work, sequencer.NewSequencerManager(registry, 0))
	go manager.OperationLoop(context.Background())

	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(rpc.Serve(listener))
}
