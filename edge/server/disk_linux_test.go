package server

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestStopsAfterDiskError: after a failed write the server answers 500, is not ready, and ends with an error.
func TestStopsAfterDiskError(t *testing.T) {
	c := Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Sandbox: map[checkout.Environment]bool{checkout.Test: true}}
	listener, err := c.listen()
	if err != nil {
		t.Fatal(err)
	}
	server, err := newServer(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	file := seedDemo(t, server)
	served := make(chan error, 1)
	go func() { served <- server.serve(t.Context(), startHTTP(listener, server.handle, server.log)) }()
	s := shoptest.New(t, server.PublicURL, file)
	token, session := s.Token(t, "user-1"), s.Session(t, nil)
	breakFile(t, filepath.Join(c.Data, ownDatabase, "HEAD"))
	reply := s.CreateOrder(t, token, shoptest.OrderFor(session.SessionID))
	if reply.Status != http.StatusInternalServerError {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
	select {
	case err := <-served:
		if err == nil || !strings.Contains(err.Error(), "no more writes after") {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Minute):
		t.Fatal("the server did not end")
	}
	if server.ready() == nil {
		t.Error("the server is ready")
	}
}

// breakFile makes further writes to a file that this process has open fail.
func breakFile(t *testing.T, name string) {
	t.Helper()
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved
	}
	reader, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		fd, err := strconv.Atoi(filepath.Base(link))
		if target, _ := os.Readlink(link); err == nil && target == name && fd != int(reader.Fd()) {
			if err := syscall.Dup3(int(reader.Fd()), fd, syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s is not open", name)
}
