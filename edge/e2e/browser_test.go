package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var otherBrowsers = flag.Bool("browsers", false, "let TestBrowser also buy in Firefox and WebKit")

// TestBrowser runs the scripts of web/e2e in Chromium against the binary: they buy with and without JavaScript and WebAssembly, run
// the core's vectors in the page's module, and check every page in every state for accessibility, size and speed. SHOTS names a
// folder for screenshots.
func TestBrowser(t *testing.T) {
	if _, err := os.Stat(chromium()); err != nil {
		t.Fatalf("%v; the test needs a browser: apt-get install chromium, or set CHROMIUM", err)
	}
	web := npmInstall(t, "../../web")
	exchange := filepath.Join(t.TempDir(), "eurofxref.csv")
	if err := os.WriteFile(exchange, []byte("Date, USD, \n"+time.Now().UTC().Format("02 January 2006")+", 1.0832, \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	scripts := map[string][]string{
		"autofill.mjs":  nil,
		"checkout.mjs":  nil,
		"documents.mjs": {"--exchange-rates", exchange},
		"consent.mjs":   nil,
		"embed.mjs":     nil,
		"form.mjs":      nil,
		"languages.mjs": nil,
		"layout.mjs":    nil,
		"order.mjs":     nil,
		"quality.mjs":   nil,
		"rates.mjs":     {"--rates", "testdata/rates.tsv"},
		"rules.mjs":     nil,
		"vitals.mjs":    nil,
	}
	if *otherBrowsers {
		scripts["browsers.mjs"] = nil
	}
	for script, settings := range scripts {
		t.Run(script, func(t *testing.T) {
			data := t.TempDir()
			start(t, data, freeAddress(t), append(settings, "--client-rate", "off")...) // all buyers have one address
			node := exec.Command("node", "--test", "--test-timeout=1800000", "--test-reporter=spec", filepath.Join(web, "e2e", script))
			node.Env = append(os.Environ(), "DEV_JSON="+filepath.Join(data, "dev.json"), "DATA="+data, "CREPE="+binary.path, "CHROMIUM="+chromium())
			if *shoptest.HoldTimes {
				node.Env = append(node.Env, "HOLD_TIMES=1")
			}
			output, err := node.CombinedOutput()
			t.Logf("%s", output)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}
