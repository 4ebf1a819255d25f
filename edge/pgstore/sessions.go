package pgstore

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Sessions implements sessions.Reader.
func (db *DB) Sessions(ctx context.Context, env checkout.Environment, stores []string, after string, limit int) (page psp.Page[sessions.Session], err error) {
	list := listOf("sessions", "created_at", env, stores)
	list.where("kept_until IS NULL OR kept_until > ", time.Now())
	if err := list.after(after); err != nil {
		return page, err
	}
	entries, next, err := readList[sessions.Session](ctx, db, list, 0, limit)
	for _, s := range entries {
		page.Items = append(page.Items, *s)
	}
	page.Next = next
	return page, err
}
