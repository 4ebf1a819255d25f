package durable

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRecent: what the writer reads from memory is what the transaction has, also after writes that were discarded, have expired, or no
// longer fit into the memory.
func TestRecent(t *testing.T) {
	db := open(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	refusal := errors.New("refused")
	random := func(keys []string) func(*Tx) error {
		return func(tx *Tx) error {
			for _, key := range keys {
				if err := sameAsStored(tx, key); err != nil {
					return err
				}
			}
			for _, key := range keys[1:] {
				switch r.IntN(4) {
				case 0:
					tx.Delete(key)
				case 1:
					tx.PutUntil(key, []byte("expires"), time.Now().Add(time.Duration(r.IntN(2))*time.Hour-time.Second))
				default:
					tx.Put(key, bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(100<<10)))
				}
			}
			if r.IntN(4) == 0 {
				return refusal
			}
			return nil
		}
	}
	for range 30 {
		var batch []command
		for range 1 + r.IntN(40) {
			keys := make([]string, 1+r.IntN(5))
			for i := range keys {
				keys[i] = fmt.Sprintf("test/-/%02d", r.IntN(60))
			}
			batch = append(batch, command{do: random(keys), done: make(chan error, 1)})
		}
		if err := db.commit(batch); err != nil {
			t.Fatal(err)
		}
		for _, c := range batch {
			if err := <-c.done; err != nil && err != refusal {
				t.Error(err)
			}
		}
		if held := db.recent.size + sizeOf(db.recent.old); held > 2*(recentSize+101<<10) {
			t.Errorf("%d bytes are held", held)
		}
	}
}

// sameAsStored compares the value of a key as a command reads it with that of the transaction.
func sameAsStored(tx *Tx, key string) error {
	read, err := tx.Get(key)
	stored, expected := tx.db.get(tx.txn, key)
	if !errors.Is(err, expected) || !bytes.Equal(read, stored) {
		return fmt.Errorf("%s: read %d bytes, %v; stored are %d, %v", key, len(read), err, len(stored), expected)
	}
	if has, err := tx.Has(key); err != nil || has != (expected == nil) {
		return fmt.Errorf("%s: Has is %v, %v; stored is %v", key, has, err, expected)
	}
	return nil
}

func sizeOf(values map[string]written) (size int) {
	for key, w := range values {
		size += len(key) + len(w.value)
	}
	return size
}
