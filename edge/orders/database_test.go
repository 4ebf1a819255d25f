package orders_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/record"
)

// server is a PostgreSQL server for the tests that need one. In a bubble of virtual time its calls take no time: the bubble's clock stands still
// while a goroutine waits for the network. What the server's own clock decides is real.
var server struct {
	start   sync.Once
	cluster *pgtest.Cluster
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.cluster != nil {
		if err := server.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// postgres returns the URL of an empty database.
func postgres(t *testing.T) string {
	t.Helper()
	server.start.Do(func() { server.cluster, server.err = pgtest.Start("fsync = off", "log_min_messages = panic") })
	if server.err != nil {
		t.Fatal(server.err)
	}
	return server.cluster.Schema(t, "orders", func(url string) error {
		_, err := pgstore.Migrate(context.Background(), url)
		return err
	})
}

// openStore opens the store at a URL or, if that is "", in a directory.
func openStore(url, directory string) (db record.Store) {
	var err error
	if url != "" {
		db, err = pgstore.Open(context.Background(), url, pgstore.Options{})
	} else {
		db, err = badgerstore.Open(directory, badgerstore.Options{NoSync: true})
	}
	must(err)
	return db
}
