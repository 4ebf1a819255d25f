// Package requestid names requests, so that the log records of one can be found: with the id that a proxy or a client has given it in the
// header X-Request-Id, or else with a new one. The id travels in contexts, from which [Log] adds it to log records.
package requestid

import (
	"context"
	"crypto/rand"
	"log/slog"
)

// Header is the header of a request's id, in requests and responses.
const Header = "X-Request-Id"

// maxLength is the greatest length of an id that is taken from a request.
const maxLength = 64

// Key is the key of the id among the values of a context.
var Key any = key{}

type key struct{}

// Accept returns the id that a request has, if that is 1 to 64 letters, digits, dots, hyphens and underscores, and else a new one.
func Accept(given []byte) string {
	if sane(given) {
		return string(given)
	}
	return rand.Text()
}

func sane(id []byte) bool {
	for _, c := range id {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= maxLength
}

// Of returns the id in a context, "" if there is none.
func Of(ctx context.Context) string {
	id, _ := ctx.Value(Key).(string)
	return id
}

// Detached returns a context with the id of ctx and nothing else of it: no deadline, no values.
func Detached(ctx context.Context) context.Context {
	return context.WithValue(context.Background(), Key, Of(ctx))
}

// Log returns a handler that adds the id in a record's context to the record, as "request".
func Log(h slog.Handler) slog.Handler { return handler{h} }

type handler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id := Of(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
