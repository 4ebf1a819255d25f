package pgstore

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/edge/plugins"
)

// Rules implements plugins.Store.
func (db *DB) Rules(ctx context.Context, storeID string) (*plugins.Rules, error) {
	r, err := one[plugins.Rules](ctx, db, plugins.ErrNotFound, "SELECT record FROM rules WHERE store_id = $1", storeID)
	if errors.Is(err, plugins.ErrNotFound) {
		return &plugins.Rules{StoreID: storeID}, nil
	}
	return r, err
}

// RuleContent implements plugins.Store.
func (db *DB) RuleContent(ctx context.Context, storeID string, number int) (*plugins.Content, error) {
	return one[plugins.Content](ctx, db, plugins.ErrNotFound, "SELECT record FROM rule_contents WHERE store_id = $1 AND number = $2", storeID, number)
}

// CommitRules implements plugins.Store.
func (db *DB) CommitRules(ctx context.Context, c plugins.Change) error {
	next := *c.Rules
	next.Revision++
	s, err := rulesRow(&next).put(c.Rules.Revision, &next, plugins.ErrStale)
	if err != nil {
		return err
	}
	statements := []statement{s}
	if c.Add != nil {
		text, err := encoded(c.Add)
		if err != nil {
			return err
		}
		statements = append(statements, ruleContentStatement(c.Add, text))
	}
	if c.Remove != 0 {
		statements = append(statements, statement{sql: "DELETE FROM rule_contents WHERE store_id = $1 AND number = $2", args: []any{next.StoreID, c.Remove}})
	}
	return db.write(ctx, statements...)
}

func rulesRow(r *plugins.Rules) row { return row{"rules", 1, []cell{{"store_id", r.StoreID}}} }

func ruleContentStatement(c *plugins.Content, text string) statement {
	return statement{sql: "INSERT INTO rule_contents (store_id, number, record) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		args: []any{c.StoreID, c.Number, text}}
}
