// Package transfer copies all entries of one store into another, and compares two stores. The stores are [record.Portable]; their
// servers are stopped.
//
// Of each kind of entry it counts the entries and adds up their SHA-256 hashes, so that two stores of any size and order are
// compared in one pass over each. Only if a sum differs are the entries of that kind compared one by one.
package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
)

// batch is how many entries one Import gets, and batchBytes from which size on it gets no more: a transaction has the modules of a few
// rules, not of all.
const (
	batch      = 200
	batchBytes = 4 << 20
)

// Count is how many entries of a kind a store holds, and the sum of their hashes modulo 2^256.
type Count struct {
	Entries int
	Sum     [4]uint64 // the least significant word first
}

func (c *Count) add(hash [sha256.Size]byte) {
	c.Entries++
	var carry uint64
	for i := range c.Sum {
		word := binary.BigEndian.Uint64(hash[len(hash)-8*(i+1):])
		c.Sum[i], carry = bits.Add64(c.Sum[i], word, carry)
	}
}

// Tally is what a store holds of each kind.
type Tally map[record.Kind]Count

func (t Tally) add(e *record.Entry) error {
	hash, err := e.Hash()
	if err != nil {
		return err
	}
	c := t[e.Kind]
	c.add(hash)
	t[e.Kind] = c
	return nil
}

// Total returns the number of all entries.
func (t Tally) Total() (n int) {
	for _, c := range t {
		n += c.Entries
	}
	return n
}

// Take tallies the entries of a store. It calls progress now and then with the number of those read so far.
func Take(ctx context.Context, s record.Portable, progress func(entries int)) (Tally, error) {
	t, n := Tally{}, 0
	err := s.Export(ctx, func(e record.Entry) error {
		if n++; n%batch == 0 {
			progress(n)
		}
		return t.add(&e)
	})
	return t, err
}

// Copy copies all entries of from into to, which is empty, and returns what it has copied. It calls progress after each batch with the
// number of entries copied so far. After an error some have been copied.
func Copy(ctx context.Context, from, to record.Portable, progress func(entries int)) (Tally, error) {
	t, n, size := Tally{}, 0, 0
	var waiting []record.Entry
	flush := func() error {
		err := to.Import(ctx, waiting)
		n += len(waiting)
		progress(n)
		waiting, size = waiting[:0], 0
		return err
	}
	err := from.Export(ctx, func(e record.Entry) error {
		if len(waiting) == batch || size >= batchBytes || len(waiting) > 0 && waiting[0].Kind != e.Kind {
			if err := flush(); err != nil {
				return err
			}
		}
		waiting = append(waiting, e)
		if c, ok := e.Value.(*plugins.Content); ok {
			size += len(c.Module) + len(c.Config)
		}
		return t.add(&e)
	})
	if err == nil && len(waiting) > 0 {
		err = flush()
	}
	return t, err
}

// Difference is an entry that is not the same in two stores.
type Difference struct {
	Kind record.Kind
	Key  string
	What string
}

func (d Difference) String() string { return fmt.Sprintf("%s: %s %s", d.Kind, d.Key, d.What) }

// Compare returns the entries that differ, given the tallies of both stores; none if the stores are the same. Entries that have expired
// since from was tallied are no difference.
func Compare(ctx context.Context, from, to record.Portable, fromTally, toTally Tally) ([]Difference, error) {
	var kinds []record.Kind
	for _, kind := range record.Kinds {
		if fromTally[kind] != toTally[kind] {
			kinds = append(kinds, kind)
		}
	}
	if kinds == nil {
		return nil, nil
	}
	return compare(ctx, from, to, kinds)
}

// compare compares the entries of some kinds one by one.
func compare(ctx context.Context, from, to record.Portable, kinds []record.Kind) (found []Difference, err error) {
	type id struct {
		kind record.Kind
		key  string
	}
	type content struct {
		hash  [sha256.Size]byte
		until int64
	}
	each := func(s record.Portable, do func(id, content)) error {
		return s.Export(ctx, func(e record.Entry) error {
			if !slices.Contains(kinds, e.Kind) {
				return nil
			}
			hash, err := e.Hash()
			do(id{e.Kind, e.Key}, content{hash, e.Until})
			return err
		})
	}
	missing := map[id]content{}
	if err := each(from, func(i id, c content) { missing[i] = c }); err != nil {
		return nil, err
	}
	err = each(to, func(i id, c content) {
		if original, ok := missing[i]; !ok {
			found = append(found, Difference{i.kind, i.key, "is only in the target"})
		} else if original != c {
			found = append(found, Difference{i.kind, i.key, "differs"})
		}
		delete(missing, i)
	})
	now := time.Now().UnixMilli()
	for i, c := range missing {
		if c.until == 0 || c.until > now {
			found = append(found, Difference{i.kind, i.key, "is missing in the target"})
		}
	}
	slices.SortFunc(found, func(a, b Difference) int {
		return slices.Compare([]string{string(a.Kind), a.Key}, []string{string(b.Kind), b.Key})
	})
	return found, err
}

// Result is what a comparison has found.
type Result struct {
	Source, Target Tally
	Differences    []Difference
}

// Verify compares a store with the tally of another one, and with that store itself if something differs.
func Verify(ctx context.Context, from, to record.Portable, source Tally, progress func(entries int)) (*Result, error) {
	target, err := Take(ctx, to, progress)
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	differences, err := Compare(ctx, from, to, source, target)
	return &Result{source, target, differences}, err
}

// Same reports whether the stores hold the same.
func (r *Result) Same() bool { return len(r.Differences) == 0 }

// Print prints a table of the kinds of entries that there are, and the first differences.
func (r *Result) Print(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%-24s %10s %10s  %s\n", "", "source", "target", "sum of SHA-256")
	for _, kind := range record.Kinds {
		source, target := r.Source[kind], r.Target[kind]
		if source.Entries == 0 && target.Entries == 0 {
			continue
		}
		verdict := "same"
		if slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Kind == kind }) {
			verdict = "DIFFERS"
		}
		fmt.Fprintf(&text, "%-24s %10d %10d  %016x…  %s\n", kind, source.Entries, target.Entries, source.Sum[3], verdict)
	}
	fmt.Fprintf(&text, "%-24s %10d %10d\n", "in all", r.Source.Total(), r.Target.Total())
	for _, d := range r.Differences[:min(len(r.Differences), shown)] {
		fmt.Fprintln(&text, d)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// shown is how many differences are printed.
const shown = 10
