package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStarting: the port answers before the database is open; a SIGTERM meanwhile ends the process cleanly. A file of rates
// that nobody has written yet (a named pipe) holds up the start.
func TestStarting(t *testing.T) {
	t.Parallel()
	pipe, address := filepath.Join(t.TempDir(), "rates.tsv"), freeAddress(t)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	rates, err := os.ReadFile("testdata/rates.tsv")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{server: &server{Config: Config{PublicURL: "http://" + address}}}
	data := filepath.Join(t.TempDir(), "data")
	for _, stopped := range []bool{false, true} {
		crepe, out := launch(t, "serve", "--data", data, "--listen", address, "--rates", pipe)
		eventually(t, "the port is open", func() bool {
			response, err := http.Get(s.PublicURL + "/healthz")
			if err == nil {
				response.Body.Close()
			}
			return err == nil
		})
		s.wantProbe(t, "/healthz", 200, "ok")
		s.wantProbe(t, "/readyz", 503, "not ready: starting")
		order := s.post(t, createOrderPath, "{}", nil)
		if order.status != 503 || order.header.Get("Retry-After") == "" || !strings.Contains(order.body, `"code":"starting"`) {
			t.Errorf("create-order: %v, Retry-After %q", order, order.header.Get("Retry-After"))
		}
		if stopped {
			if err := crepe.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(pipe, rates, 0o600); err != nil {
			t.Fatal(err)
		}
		if !stopped {
			s.wantProbe(t, "/readyz", 200, "ready")
			if err := crepe.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		if err := crepe.Wait(); err != nil {
			t.Errorf("stopped while starting: %v: %v\n%s", stopped, err, out)
		}
	}
}
