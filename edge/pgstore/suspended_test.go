package pgstore_test

import (
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// TestSuspended: a server that is suspended before a commit holds up the others for two seconds, and its transaction has no effect.
func TestSuspended(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	var servers [2]*pgstore.DB
	for i := range servers {
		db, err := pgstore.Open(t.Context(), url, pgstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		servers[i] = db
	}
	reached, resume := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(reached); <-resume })
	servers[0].Inject(func(step string, _ *string, _ *[]any) error {
		if step == "commit" {
			once()
		}
		return nil
	})
	resumed := make(chan bool)
	go func() {
		held, err := servers[0].Hold(t.Context(), "task", "suspended", time.Hour)
		resumed <- held && err == nil
	}()
	<-reached
	began := time.Now()
	if held, err := servers[1].Hold(t.Context(), "task", "other", time.Hour); !held || err != nil {
		t.Errorf("the other server has the lease: %t, %v, after %s", held, err, time.Since(began))
	}
	t.Logf("held up for %s", time.Since(began))
	close(resume)
	if <-resumed {
		t.Error("the suspended server has the lease, too")
	}
}
