package auth

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// sdkRequest is a request as the public SDK would have sent it.
type sdkRequest struct {
	Method, Path, Body string
	Headers            map[string]string
}

// TestSDK verifies what the public SDK signs, with keys as the demo hands them out.
func TestSDK(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now()
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		requests := sdkRequests(t, env)
		if len(requests) != 5 {
			t.Errorf("%d requests, want 5", len(requests))
		}
		for _, r := range requests {
			request := Signed{
				MerchantID: r.Headers["X-Merchant-Id"], Timestamp: r.Headers["X-Timestamp"], Signature: r.Headers["X-Signature"],
				Path: r.Path, Body: []byte(r.Body),
			}
			got, err := w.APIKey(t.Context(), request)
			if err != nil || got != merchantIn(env) || r.Method != "POST" {
				t.Errorf("%s in %s: %+v, %v", r.Path, env, got, err)
			}
		}
	}
}

func sdkRequests(t *testing.T, env checkout.Environment) (requests []sdkRequest) {
	t.Helper()
	if _, err := os.Stat("testdata/npm/node_modules"); errors.Is(err, fs.ErrNotExist) {
		run(t, "", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	}
	input, err := json.Marshal(map[string]string{"merchantId": demo().Merchant.ID, "privateKey": demo().PrivateKeys[env]})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(run(t, string(input), "node", "sign.mjs"), &requests); err != nil {
		t.Fatal(err)
	}
	return requests
}

func run(t *testing.T, input, name string, args ...string) []byte {
	t.Helper()
	var complaint strings.Builder
	c := exec.Command(name, args...)
	c.Dir, c.Stdin, c.Stderr = "testdata/npm", strings.NewReader(input), &complaint
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v (this test needs node and npm: apt-get install nodejs npm)\n%s", name, err, complaint.String())
	}
	return out
}
