package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/demo"
)

// TestNextLink: the permanent link that the Next.js package's button of type "link" makes leads to the form, filled in.
func TestNextLink(t *testing.T) {
	dir, data := npmInstall(t, "testdata/nextjs"), t.TempDir()
	start(t, data, freeAddress(t))
	shop := shopOn(t, data)
	link, err := exec.Command("node", filepath.Join(dir, "link.mjs"), shop.URL, shop.File.StoreSlug, shop.File.Products[0].ID).Output()
	if err != nil {
		t.Fatal(err)
	}
	page := shop.Get(t, strings.TrimPrefix(strings.TrimSpace(string(link)), shop.URL))
	if page.Status != http.StatusOK {
		t.Fatalf("%s leads to %s", link, page)
	}
	for _, want := range []string{`value="ada@example.com"`, `<option value="DE" selected`, "€27.00", `type="checkbox" checked`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the form has no %s", want)
		}
	}
}

// TestNextApp buys in Chromium in a shop that is built with the components, hooks, server actions and webhook handler of the Next.js
// package. The handler verifies an event for each of the three orders, and one for the refund that a customer has asked for. SHOTS names a folder for screenshots.
func TestNextApp(t *testing.T) {
	if _, err := os.Stat(chromium()); err != nil {
		t.Fatalf("%v; the test needs a browser: apt-get install chromium, or set CHROMIUM", err)
	}
	web, dir, data := npmInstall(t, "../../web"), npmInstall(t, "testdata/nextjs"), t.TempDir()
	bundle := bundleApp(t, dir)
	start(t, data, freeAddress(t))
	file := filepath.Join(data, demo.FileName)
	merchant := runMerchant(t, filepath.Join(dir, "server.mjs"), file, bundle)
	buyer := exec.Command("node", "--test", "--test-reporter=spec", filepath.Join(web, "e2e", "nextjs.mjs"))
	buyer.Env = append(os.Environ(), "DEV_JSON="+file, "SHOP_URL="+merchant.next().URL, "CHROMIUM="+chromium())
	output, err := buyer.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Fatal(err)
	}
	buyers := make(map[any]int) // orders by the buyer's identity
	for range 3 {
		got := merchant.next()
		if got.Error != "" || got.Event.EventType != "order.completed" || got.Event.Data["orderStatus"] != "completed" {
			t.Errorf("the handler got %+v", got)
		}
		buyers[got.Event.Data["merchantProvidedBuyerIdentity"]]++
	}
	if len(buyers) != 2 || buyers["user-17"] != 1 || buyers[nil] != 2 {
		t.Errorf("the events name the buyers %v", buyers)
	}
	approveTicket(t, data)
	if got := merchant.next(); got.Error != "" || got.Event.EventType != "refund.succeeded" || got.Event.Data["merchantProvidedBuyerIdentity"] != "user-17" {
		t.Errorf("after the approval the handler got %+v", got)
	}
}

// approveTicket approves the only open refund ticket.
func approveTicket(t *testing.T, data string) {
	t.Helper()
	list, err := exec.Command(binary.path, "refund", "list", "--data", data).CombinedOutput()
	tickets := regexp.MustCompile(`TKT_\w+`).FindAllString(string(list), -1)
	if err != nil || len(tickets) != 1 {
		t.Fatalf("refund list: %v: %s", err, list)
	}
	if output, err := exec.Command(binary.path, "refund", "approve", "--data", data, tickets[0]).CombinedOutput(); err != nil {
		t.Fatalf("refund approve: %v: %s", err, output)
	}
}

// bundleApp bundles app.jsx of a folder for the browser, with the esbuild of web/build, and returns the file.
func bundleApp(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.js")
	esbuild := exec.Command("go", "-C", "../../web/build", "run", "github.com/evanw/esbuild/cmd/esbuild", filepath.Join(dir, "app.jsx"),
		"--bundle", "--format=esm", "--jsx=automatic", `--define:process.env.NODE_ENV="production"`,
		"--alias:crypto="+filepath.Join(dir, "crypto.cjs"), "--log-level=warning", "--outfile="+file)
	if output, err := esbuild.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return file
}
