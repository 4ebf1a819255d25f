package badgerstore

import (
	"context"
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

func sessionsPrefix(prefix string) string { return prefix + "/cl/" }

// Sessions implements sessions.Reader.
func (db *DB) Sessions(_ context.Context, env checkout.Environment, stores []string, after string, limit int) (page psp.Page[sessions.Session], err error) {
	var prefixes []string
	for _, store := range stores {
		prefixes = append(prefixes, sessionsPrefix(keyPrefix(env, store)))
	}
	from := ""
	if after != "" {
		from = after + "\x00"
	}
	last := ""
	err = db.Read(func(s *durable.Snapshot) error {
		m := merge(s, prefixes, from, "")
		for list := m.first(); list != nil; list = m.first() {
			if len(page.Items) == limit {
				page.Next = last
				return nil
			}
			_, id, _ := strings.Cut(list.rest, "/")
			session, err := load[sessions.Session](s.Get, recordKey(strings.TrimSuffix(list.prefix, "/cl/"), kindSession, id), errExpired)
			if err != nil && !errors.Is(err, errExpired) {
				return err
			}
			if err == nil {
				page.Items, last = append(page.Items, *session), list.rest
			}
			m.next(list)
		}
		return nil
	})
	return page, err
}

// errExpired is the error for a session that has expired from the database since its entry was read.
var errExpired = errors.New("badgerstore: the session has expired")
