package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The limits of log records with the same message: a burst, a rate per second, and how long after the first suppressed record the
// number of suppressed records is logged.
const (
	logBurst      = 50
	logRate       = 1
	countSuppress = time.Minute
	maxKinds      = 1000
)

// newLog returns the program's log. It limits the rate of each message, so that requests cannot fill a disk with log records.
func newLog(w io.Writer) *slog.Logger {
	text := slog.NewTextHandler(w, nil)
	return slog.New(&limitedLog{text, &messages{out: text, kinds: make(map[string]*kind)}})
}

// limitedLog limits the records of each message.
type limitedLog struct {
	slog.Handler
	messages *messages
}

type messages struct {
	out   slog.Handler // for the counts
	mutex sync.Mutex
	kinds map[string]*kind
}

// kind is the state of one message.
type kind struct {
	bucket     *rate.Limiter
	suppressed int // since the last count
}

// Handle implements [slog.Handler].
func (l *limitedLog) Handle(ctx context.Context, r slog.Record) error {
	if !l.admit(r.Message, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (l *limitedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limitedLog{l.Handler.WithAttrs(attrs), l.messages}
}

// WithGroup implements [slog.Handler].
func (l *limitedLog) WithGroup(name string) slog.Handler {
	return &limitedLog{l.Handler.WithGroup(name), l.messages}
}

func (l *limitedLog) admit(message string, level slog.Level) bool {
	l.messages.mutex.Lock()
	defer l.messages.mutex.Unlock()
	k := l.messages.kinds[message]
	if k == nil {
		if len(l.messages.kinds) >= maxKinds {
			clear(l.messages.kinds) // only Badger's messages are not constant
		}
		k = &kind{bucket: rate.NewLimiter(logRate, logBurst)}
		l.messages.kinds[message] = k
	}
	if k.bucket.Allow() {
		return true
	}
	if k.suppressed++; k.suppressed == 1 {
		time.AfterFunc(countSuppress, func() { l.messages.count(k, message, level) })
	}
	return false
}

// count logs how many records of a message were suppressed.
func (m *messages) count(k *kind, message string, level slog.Level) {
	m.mutex.Lock()
	n := k.suppressed
	k.suppressed = 0
	m.mutex.Unlock()
	r := slog.NewRecord(time.Now(), level, "log records suppressed", 0)
	r.Add("message", message, "count", n)
	m.out.Handle(context.Background(), r)
}
