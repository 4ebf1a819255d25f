package web

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestClient runs the client's tests in Node, on the script that the server serves.
func TestClient(t *testing.T) {
	script := filepath.Join(t.TempDir(), "client.mjs")
	plain, _ := Named("client.js").Encoded("")
	if err := os.WriteFile(script, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "--test", "--test-reporter=spec", "src/client/client.test.mjs")
	node.Env = append(os.Environ(), "CLIENT="+script)
	output, err := node.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Fatalf("%v; the tests need Node 20.16 or newer (apt-get install nodejs)", err)
	}
}

// TestClientSize limits the client's compressed size.
func TestClientSize(t *testing.T) {
	asset := Named("client.js")
	t.Logf("the client: %d bytes, gzip %d, brotli %d", len(asset.plain), len(asset.gzip), len(asset.brotli))
	if len(asset.gzip) > 3<<10 {
		t.Errorf("gzip %d bytes, more than 3 KiB", len(asset.gzip))
	}
}
