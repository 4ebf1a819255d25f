package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
)

// newRule adds a version with a content to the rules of a store.
func newRule(r *plugins.Rules, module string) plugins.Change {
	r.Last++
	r.Versions = append(r.Versions, plugins.Version{Number: r.Last, Name: "limits", Digest: "d", Size: len(module), ConfigSum: "c",
		OnFailure: plugins.Continue, InPage: true, CreatedAt: 1000})
	return plugins.Change{Rules: r, Add: &plugins.Content{StoreID: r.StoreID, Number: r.Last, Module: []byte(module), Config: []byte(`{"max":"500.00"}`)}}
}

// rules: the versions of a store are found with their contents, until they are removed; each store has its own.
func rules(s record.Store) error {
	storeID := fresh("STO")
	r, err := s.Rules(background, storeID)
	if err != nil || !reflect.DeepEqual(r, &plugins.Rules{StoreID: storeID}) {
		return fmt.Errorf("the rules of a store that has none: %+v, %v", r, err)
	}
	first := newRule(r, "\x00asm-1")
	if err := need("a first version", s.CommitRules(background, first)); err != nil {
		return err
	}
	if r, err = s.Rules(background, storeID); err != nil || r.Revision != 1 || !reflect.DeepEqual(r.Versions, first.Rules.Versions) {
		return fmt.Errorf("after a first version: %+v, %v", r, err)
	}
	second := newRule(r, string(bytes.Repeat([]byte{0xff, 0}, plugins.MaxModule/2)))
	r.Test, r.Versions[0].TestedAt = 2, 2000
	if err := need("a second version, of the largest size", s.CommitRules(background, second)); err != nil {
		return err
	}
	for _, add := range []*plugins.Content{first.Add, second.Add} {
		if c, err := s.RuleContent(background, storeID, add.Number); err != nil || !reflect.DeepEqual(c, add) {
			return fmt.Errorf("content %d has another value, %v", add.Number, err)
		}
	}
	other, err := s.Rules(background, fresh("STO"))
	_, missing := s.RuleContent(background, fresh("STO"), 1)
	if err != nil || other.Revision != 0 || !errors.Is(missing, plugins.ErrNotFound) {
		return fmt.Errorf("another store has %+v, %v, and content %v", other, err, missing)
	}
	r, err = s.Rules(background, storeID)
	if err != nil || r.Revision != 2 || r.Test != 2 || r.Version(1) == nil || r.Version(1).TestedAt != 2000 {
		return fmt.Errorf("after a second version: %+v, %v", r, err)
	}
	r.Versions = r.Versions[1:]
	if err := need("a removal", s.CommitRules(background, plugins.Change{Rules: r, Remove: 1})); err != nil {
		return err
	}
	_, removed := s.RuleContent(background, storeID, 1)
	_, kept := s.RuleContent(background, storeID, 2)
	return errors.Join(want("a removed content", removed, plugins.ErrNotFound), need("the other content", kept))
}

// staleRules: rules are written by compare-and-set, and a stale write changes nothing.
func staleRules(s record.Store) error {
	r, err := s.Rules(background, fresh("STO"))
	if err != nil {
		return err
	}
	if err := need("a first version", s.CommitRules(background, newRule(r, "1"))); err != nil {
		return err
	}
	stale := newRule(&plugins.Rules{StoreID: r.StoreID, Revision: 0}, "2")
	stale.Add.Number, stale.Remove = 2, 1
	if err := want("a stale write", s.CommitRules(background, stale), plugins.ErrStale); err != nil {
		return err
	}
	_, kept := s.RuleContent(background, r.StoreID, 1)
	_, added := s.RuleContent(background, r.StoreID, 2)
	if err := errors.Join(need("the content that a stale write would remove", kept), want("one that it would add", added, plugins.ErrNotFound)); err != nil {
		return err
	}
	return oneWinner("versions of one revision", plugins.ErrStale, func(int) error {
		r, err := s.Rules(background, r.StoreID)
		if err != nil {
			return err
		}
		r.Revision = 1
		return s.CommitRules(background, newRule(r, "3"))
	})
}
