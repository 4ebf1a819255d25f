package requestid

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAccept(t *testing.T) {
	for _, id := range []string{"a", "01J-a_b.C9", strings.Repeat("x", 64)} {
		if got := Accept([]byte(id)); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
	seen := make(map[string]bool)
	for _, id := range []string{"", strings.Repeat("x", 65), "a b", "a\nb", "a@b", "ä", "a\"b", "a=b", "a/b", "@", "[", "`", "{"} {
		got := Accept([]byte(id))
		if got == id || !sane([]byte(got)) || seen[got] {
			t.Errorf("%q became %q", id, got)
		}
		seen[got] = true
	}
}

// TestLog: records with a context have its id, also those of derived loggers and of services, which get nothing else of a request.
func TestLog(t *testing.T) {
	var text strings.Builder
	log := slog.New(Log(slog.NewTextHandler(&text, nil))).With("a", 1)
	request, cancel := context.WithDeadline(context.WithValue(context.Background(), Key, "r-1"), time.Now().Add(-time.Hour))
	defer cancel()
	services := Detached(request)
	if services.Err() != nil {
		t.Error(services.Err())
	}
	log.InfoContext(services, "found")
	log.Info("other")
	if got := text.String(); !strings.Contains(got, "msg=found a=1 request=r-1\n") || !strings.HasSuffix(got, "msg=other a=1\n") {
		t.Error(got)
	}
}
