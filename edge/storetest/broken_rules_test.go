package storetest_test

import (
	"context"
	"sync"

	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Each type below is a store with one mistake in what it does for the rules of stores.

var brokenRules = map[string]func(record.Store) record.Store{
	"contents of all stores in one place": func(s record.Store) record.Store { return oneShelf{s, new(sync.Map)} },
	"rules whose last write wins":         func(s record.Store) record.Store { return lastRules{s} },
	"contents of rules that stay":         func(s record.Store) record.Store { return keptContent{s} },
	"contents written before their rules": func(s record.Store) record.Store { return earlyContent{s} },
	"contents of rules that are cut":      func(s record.Store) record.Store { return cutContent{s} },
}

type oneShelf struct {
	base
	contents *sync.Map
}

func (s oneShelf) CommitRules(ctx context.Context, c plugins.Change) error {
	err := s.base.CommitRules(ctx, c)
	if err == nil && c.Add != nil {
		s.contents.Store(c.Add.Number, c.Add)
	}
	return err
}

func (s oneShelf) RuleContent(ctx context.Context, storeID string, number int) (*plugins.Content, error) {
	c, err := s.base.RuleContent(ctx, storeID, number)
	if any, ok := s.contents.Load(number); err != nil && ok {
		return any.(*plugins.Content), nil
	}
	return c, err
}

type lastRules struct{ base }

func (s lastRules) CommitRules(ctx context.Context, c plugins.Change) error {
	stored, err := s.base.Rules(ctx, c.Rules.StoreID)
	if err != nil {
		return err
	}
	copied := *c.Rules
	copied.Revision = stored.Revision
	c.Rules = &copied
	return s.base.CommitRules(ctx, c)
}

type keptContent struct{ base }

func (s keptContent) CommitRules(ctx context.Context, c plugins.Change) error {
	c.Remove = 0
	return s.base.CommitRules(ctx, c)
}

type earlyContent struct{ base }

func (s earlyContent) CommitRules(ctx context.Context, c plugins.Change) error {
	if c.Add != nil {
		stored, err := s.base.Rules(ctx, c.Rules.StoreID)
		if err != nil {
			return err
		}
		if err := s.base.CommitRules(ctx, plugins.Change{Rules: stored, Add: c.Add}); err != nil {
			return err
		}
		copied := *c.Rules
		copied.Revision++
		c.Rules, c.Add = &copied, nil
	}
	return s.base.CommitRules(ctx, c)
}

type cutContent struct{ base }

func (s cutContent) RuleContent(ctx context.Context, storeID string, number int) (*plugins.Content, error) {
	c, err := s.base.RuleContent(ctx, storeID, number)
	if err == nil && len(c.Module) > 1000 {
		c.Module = c.Module[:1000]
	}
	return c, err
}
