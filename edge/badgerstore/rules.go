package badgerstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
)

func rulesKey(storeID string) string { return shared + "/" + storeID + "/ru" }

func ruleContentKey(storeID string, number int) string {
	return fmt.Sprintf("%s/%s/rc/%08d", shared, storeID, number)
}

// Rules implements plugins.Store.
func (db *DB) Rules(_ context.Context, storeID string) (*plugins.Rules, error) {
	return rulesOf(db.Get, storeID)
}

func rulesOf(get func(string) ([]byte, error), storeID string) (*plugins.Rules, error) {
	r, err := load[plugins.Rules](get, rulesKey(storeID), plugins.ErrNotFound)
	if errors.Is(err, plugins.ErrNotFound) {
		return &plugins.Rules{StoreID: storeID}, nil
	}
	return r, err
}

// RuleContent implements plugins.Store.
func (db *DB) RuleContent(_ context.Context, storeID string, number int) (*plugins.Content, error) {
	return load[plugins.Content](db.Get, ruleContentKey(storeID, number), plugins.ErrNotFound)
}

// CommitRules implements plugins.Store.
func (db *DB) CommitRules(_ context.Context, c plugins.Change) error {
	next := *c.Rules
	next.Revision++
	return db.Update(func(tx *durable.Tx) error {
		stored, err := rulesOf(tx.Get, next.StoreID)
		if err != nil {
			return err
		}
		if stored.Revision != c.Rules.Revision {
			return plugins.ErrStale
		}
		if c.Remove != 0 {
			tx.Delete(ruleContentKey(next.StoreID, c.Remove))
		}
		if c.Add != nil {
			if err := save(tx, ruleContentKey(next.StoreID, c.Add.Number), c.Add); err != nil {
				return err
			}
		}
		return save(tx, rulesKey(next.StoreID), &next)
	})
}

func exportRuleContent(i item) (record.Entry, error) {
	c := new(plugins.Content)
	err := decode(i.value, c)
	return record.Entry{Kind: record.RuleContent, Key: fmt.Sprint(c.StoreID, "/", c.Number), Value: c}, err
}
