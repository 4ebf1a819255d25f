package e2e

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const forgotten = "ada.erased@example.com"

// sellTo places an order of a buyer, and pays it.
func sellTo(t *testing.T, shop *shoptest.Shop, buyer string) {
	t.Helper()
	request, token := shoptest.OrderFor(shop.Session(t, nil).SessionID), shop.Token(t, "user-1")
	request["buyerEmail"] = buyer
	shop.Pay(t, shop.CreateOrder(t, token, request).CheckoutURL(t))
	sold(t, shop, token, request)
}

// sold waits until the session of an order that was paid is closed.
func sold(t *testing.T, s *shoptest.Shop, token string, request map[string]any) {
	t.Helper()
	shoptest.Eventually(t, "the payment closes the session", func() bool { return s.CreateOrder(t, token, request).Status == 409 })
}

// TestErase: crepe erase on a running server and on the stopped directory. After --compact no file has the address; receipts and the report
// are there as before.
func TestErase(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	shop := shopOn(t, data)
	sellTo(t, shop, forgotten)
	sellTo(t, shop, "bob@example.com")
	report := []string{"report", "tax", "--env", "test", "--from", "2026-01-01", "--to", time.Now().UTC().Format(time.DateOnly), "--data", data}
	shoptest.Eventually(t, "both orders have a receipt", func() bool { return strings.Contains(operate(t, append(report, "--json")...), `"sales": 2`) })
	before := operate(t, report...)
	ask := []string{"erase", "--buyer", " Ada.Erased@Example.com", "--data", data}
	if text := operate(t, append(ask, "--dry-run")...); !strings.Contains(text, "Nothing was changed") || strings.Contains(strings.ToLower(text), forgotten) {
		t.Errorf("a dry run says %s", text)
	}
	done := operateJSON[admin.EraseStep](t, ask...)
	if len(done.Items) < 2 || done.Entry == nil || strings.Contains(done.Entry.Buyer, "@") {
		t.Errorf("done: %+v", done)
	}
	for _, i := range done.Items {
		if i.Outcome != erasure.Erased {
			t.Errorf("%+v", i)
		}
	}
	if after := operate(t, report...); after != before {
		t.Errorf("the report was\n%s\nand is\n%s", before, after)
	}
	for want, args := range map[string][]string{
		"stop the server first":       {"--compact"},
		"is not a valid e-mail":       {"--buyer", "ada"},
		"--buyer is needed":           {},
		"sales are kept for 30 years": {"--buyer", forgotten, "--keep-years", "31"},
		"there is no store":           {"--buyer", forgotten, "--store-id", "STO_x"},
		"there is no environment":     {"--buyer", forgotten, "--env", "staging"},
	} {
		refused(t, nil, want, append([]string{"erase", "--data", data}, args...)...)
	}
	running.kill()
	if again := operateJSON[admin.EraseStep](t, ask...); len(again.Items) != 0 {
		t.Errorf("again, on the stopped directory: %+v", again.Items)
	}
	if entries := operateJSON[[]admin.Erasure](t, "erase", "--list", "--buyer", forgotten, "--data", data); len(entries) != 2 {
		t.Errorf("entries: %+v", entries)
	}
	operate(t, "erase", "--compact", "--data", data)
	if files := filesWith(t, filepath.Join(data, "db"), forgotten); len(files) > 0 {
		t.Errorf("the address is in %q", files)
	}
	if files := filesWith(t, filepath.Join(data, "db"), "bob@example.com"); len(files) == 0 {
		t.Error("the other buyer is gone")
	}
	r := openRecords(t, data)
	records, _, err := r.db.Personal(t.Context(), "", 10000)
	must(t, err)
	r.close()
	start(t, data, address)
	for _, record := range records {
		if d, ok := record.Value.(*invoices.Document); ok {
			response, err := http.Get("http://" + address + d.Path())
			must(t, err)
			if page := shoptest.Read(t, response); page.Status != 200 || !strings.Contains(page.Body, d.Code()) || strings.Contains(page.Body, forgotten) {
				t.Errorf("the receipt of %q is %s", d.Buyer.Email, page)
			}
		}
	}
}

// filesWith returns the files in a directory that contain a text.
func filesWith(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if bytes.Contains(content, []byte(text)) {
			files = append(files, filepath.Base(name))
		}
		return err
	}))
	return files
}
