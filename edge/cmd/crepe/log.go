package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/edge/requestid"
)

// The limits of log records with the same message: a burst, a rate per second, and how long after the first suppressed record the
// number of suppressed records is logged.
const (
	logBurst      = 50
	logRate       = 1
	countSuppress = time.Minute
	maxKinds      = 1000
)

// logSettings configure the log of a server. The zero value is text at level info.
type logSettings struct {
	Format string
	Level  slog.Level
}

// logFlags declares the flags of the log.
func logFlags(f *flag.FlagSet) *logSettings {
	var c logSettings
	parsed(f, &c.Format, "log-format", "text", parseLogFormat, "`text` or json, a line for each record")
	parsed(f, &c.Level, "log-level", "info", parseLogLevel, "least level that is logged: `debug`, info, warn or error; debug has a record for each request")
	return &c
}

func parseLogFormat(text string) (string, error) {
	if text != "text" && text != "json" {
		return "", errors.New("expected text or json")
	}
	return text, nil
}

func parseLogLevel(text string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[text]
	if !ok {
		return 0, errors.New("expected debug, info, warn or error")
	}
	return level, nil
}

// newLog returns the program's log. Records of a request have its id. The rate of each message is limited, so that requests cannot fill
// a disk with log records; records at debug level are for a short time and are not limited.
func newLog(w io.Writer, c logSettings) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	var out slog.Handler = slog.NewTextHandler(w, options)
	if c.Format == "json" {
		out = slog.NewJSONHandler(w, options)
	}
	out = requestid.Log(out)
	return slog.New(&limitedLog{out, &messages{out: out, kinds: make(map[string]*kind)}})
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
	if r.Level >= slog.LevelInfo && !l.admit(r.Message, r.Level) {
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
