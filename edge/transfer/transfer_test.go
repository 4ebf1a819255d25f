package transfer_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/storetest"
	"github.com/crepe-checkout/crepe/edge/transfer"
)

var server *pgtest.Cluster

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start("fsync = off"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// store is a store of either kind.
type store interface {
	record.Store
	record.Portable
}

func onBadger(t *testing.T) store {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, db)
}

func onPostgres(t *testing.T) store {
	t.Helper()
	url := server.Schema(t, "store", func(url string) error {
		_, err := pgstore.Migrate(context.Background(), url)
		return err
	})
	db, err := pgstore.Open(t.Context(), url, pgstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, db)
}

func closing(t *testing.T, s store) store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// filled fills a store with the records of all of the store's checks, which are of every kind.
func filled(t *testing.T, s store) store {
	t.Helper()
	for _, c := range storetest.Checks() {
		if err := c.Do(s); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
	return s
}

// firstOnly are the checks that expect a store without records of their own kind.
var firstOnly = []string{"due orders are sorted", "a VAT check is due until it is answered", "VAT checks to review are listed",
	"all callers get the same webhook key"}

// goesOn repeats the checks on a copy of a store that was filled.
func goesOn(t *testing.T, s store) {
	t.Helper()
	for _, c := range storetest.Checks() {
		if slices.Contains(firstOnly, c.Name) {
			continue
		}
		if err := c.Do(s); err != nil {
			t.Errorf("on the copy: %s: %v", c.Name, err)
		}
	}
}

// entriesOf returns all entries of a store.
func entriesOf(t *testing.T, s store) (entries []record.Entry) {
	t.Helper()
	if err := s.Export(t.Context(), func(e record.Entry) error { entries = append(entries, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return entries
}

func quiet(int) {}

// copied copies a store and checks that both have the same entries, some of every kind.
func copied(t *testing.T, from, to store) {
	t.Helper()
	sent, err := transfer.Copy(t.Context(), from, to, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := from.Entries(t.Context()); err != nil || n < sent.Total() || n > sent.Total()+50 {
		t.Errorf("%d entries were announced and %d copied: %v", n, sent.Total(), err)
	}
	for _, kind := range record.Kinds {
		if sent[kind].Entries == 0 {
			t.Errorf("no %s were copied: the test does not show that they are", kind)
		}
	}
	got, err := transfer.Take(t.Context(), to, quiet)
	if err != nil {
		t.Fatal(err)
	}
	found, err := transfer.Compare(t.Context(), from, to, sent, got)
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %d differences: %v", err, len(found), found[:min(len(found), 20)])
	}
	entries := entriesOf(t, from)
	everyRecordType(t, entries)
	want, read := readsOf(t, from, entries), readsOf(t, to, entries)
	differing := 0
	for question, answer := range want {
		if read[question] != answer && differing < 10 {
			differing++
			t.Errorf("%s: the copy answers\n%.300s\nnot\n%.300s", question, read[question], answer)
		}
	}
	t.Logf("%d entries; %d questions have the same answer", sent.Total(), len(want)-differing)
}

// everyRecordType checks that entries have values of every type that package record encodes.
func everyRecordType(t *testing.T, entries []record.Entry) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range entries {
		seen[fmt.Sprintf("%T", e.Value)] = true
	}
	source, err := os.ReadFile("../record/record.go")
	if err != nil {
		t.Fatal(err)
	}
	_, marshal, _ := strings.Cut(string(source), "func Marshal(")
	marshal, _, _ = strings.Cut(marshal, "\n}")
	types := regexp.MustCompile(`case (\S+):`).FindAllStringSubmatch(marshal, -1)
	for _, match := range types {
		if !seen[match[1]] {
			t.Errorf("no %s was copied", match[1])
		}
	}
	if len(types) < 16 {
		t.Errorf("found %d types in record.Marshal only", len(types))
	}
}

// TestCopy: a store copied to another one and back is the same, answers the same, and passes the checks of a
// store.
func TestCopy(t *testing.T) {
	for _, c := range []struct {
		name      string
		from, via func(*testing.T) store
	}{{"Badger to PostgreSQL and back", onBadger, onPostgres}, {"PostgreSQL to Badger and back", onPostgres, onBadger}} {
		t.Run(c.name, func(t *testing.T) {
			from, via, back := filled(t, c.from(t)), c.via(t), c.from(t)
			copied(t, from, via)
			copied(t, via, back)
			goesOn(t, via)
		})
	}
}

// faulty is a store that imports something else than it is given.
type faulty struct {
	store
	alter func(entries []record.Entry) []record.Entry
}

func (f faulty) Import(ctx context.Context, entries []record.Entry) error {
	return f.store.Import(ctx, f.alter(slices.Clone(entries)))
}

// TestFaultyImport: an entry that is lost, changed or kept for another time is found and named.
func TestFaultyImport(t *testing.T) {
	from := filled(t, onBadger(t))
	lose := func(kind record.Kind) func([]record.Entry) []record.Entry {
		return func(entries []record.Entry) []record.Entry {
			return slices.DeleteFunc(entries, func(e record.Entry) bool { return e.Kind == kind })
		}
	}
	later := func(entries []record.Entry) []record.Entry {
		for i := range entries {
			if entries[i].Kind == record.Token {
				entries[i].Until += 1000
			}
		}
		return entries
	}
	renamed := func(entries []record.Entry) []record.Entry {
		for i := range entries {
			if m, ok := entries[i].Value.(*catalog.Merchant); ok {
				changed := *m
				changed.Name += "!"
				entries[i].Value = &changed
			}
		}
		return entries
	}
	faults := map[string]func([]record.Entry) []record.Entry{"tokens live longer": later, "merchants have another name": renamed}
	for _, kind := range record.Kinds {
		if kind != record.Product && kind != record.Session { // versions and orders need them
			faults["without "+string(kind)] = lose(kind)
		}
	}
	for name, alter := range faults {
		t.Run(name, func(t *testing.T) {
			to := onBadger(t)
			sent, err := transfer.Copy(t.Context(), from, faulty{to, alter}, quiet)
			if err != nil {
				t.Fatal(err)
			}
			result, err := transfer.Verify(t.Context(), from, to, sent, quiet)
			if err != nil || result.Same() {
				t.Errorf("%v; the fault was not found", err)
			}
		})
	}
}
