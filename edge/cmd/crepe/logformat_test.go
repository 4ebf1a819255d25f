package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestLogFormat: the flags choose format and level, records have the id of their request, and records at debug level are all there.
func TestLogFormat(t *testing.T) {
	f := newFlags("serve", "")
	settings := logFlags(f)
	for _, wrong := range []string{"--log-format=xml", "--log-level=verbose", "--log-level="} {
		if err := parseFlags(f, []string{wrong}, io.Discard); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if *settings != (logSettings{Format: "text"}) {
		t.Errorf("the default is %+v", *settings)
	}
	if err := parseFlags(f, []string{"--log-format", "json", "--log-level", "debug"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	out := new(shoptest.Buffer)
	log := newLog(out, *settings).With("a", "b\n")
	ctx := context.WithValue(t.Context(), requestid.Key, "r-1")
	const many = 2 * logBurst
	for range many {
		log.DebugContext(ctx, "request")
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var record struct{ Level, Msg, Request, A string }
	if err := json.Unmarshal([]byte(lines[0]), &record); err != nil || record.Level != slog.LevelDebug.String() || record.Msg != "request" ||
		record.Request != "r-1" || record.A != "b\n" || len(lines) != many {
		t.Errorf("%v, %d lines, the first one %s", err, len(lines), lines[0])
	}
}
