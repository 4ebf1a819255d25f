package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
