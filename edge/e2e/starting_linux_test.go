package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestStarting: the port answers before the database is open; a SIGTERM meanwhile ends the process cleanly. The start is held up by
// a file of rates that is a named pipe.
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
	s := &shoptest.Shop{URL: "http://" + address}
	data := filepath.Join(t.TempDir(), "data")
	for _, stopped := range []bool{false, true} {
		crepe, out := launch(t, "serve", "--data", data, "--listen", address, "--rates", pipe)
		shoptest.Eventually(t, "the port is open", func() bool {
			response, err := http.Get(s.URL + "/healthz")
			if err == nil {
				response.Body.Close()
			}
			return err == nil
		})
		wantProbe(t, s, "/healthz", 200, "ok")
		wantProbe(t, s, "/readyz", 503, "not ready: starting")
		order := s.Post(t, shoptest.CreateOrderPath, "{}", nil)
		if order.Status != 503 || order.Header.Get("Retry-After") == "" || !strings.Contains(order.Body, `"code":"starting"`) {
			t.Errorf("create-order: %v, Retry-After %q", order, order.Header.Get("Retry-After"))
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
			wantProbe(t, s, "/readyz", 200, "ready")
			if err := crepe.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		if err := crepe.Wait(); err != nil {
			t.Errorf("stopped while starting: %v: %v\n%s", stopped, err, out)
		}
	}
}
