package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestReceiptsOfOldOrders: the first start on the data directory of a version without receipts makes those of its paid orders, once. A
// merchant's endpoint hears of none of them.
func TestReceiptsOfOldOrders(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), freeAddress(t)
	if output, err := exec.Command("tar", "xzf", filepath.Join("..", "badgerstore", "testdata", "version0.tar.gz"), "-C", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	const paid = "ORD_0355csFOHOVb5a2rSnUy14"
	merchant := newInbox(t)
	var code string
	for range 2 {
		running := start(t, data, address)
		shop := shopOn(t, data)
		if code == "" {
			merchant.publicKey = shop.File.WebhookPublicKey[checkout.Test]
			_, err := shop.Merchant.AddWebhook(shop.File.StoreID, merchant.URL)
			must(t, err)
		}
		shoptest.Eventually(t, "the receipt is there", func() bool { return documentPath.MatchString(shop.Get(t, "/dashboard/test/orders/"+paid).Body) })
		running.kill()
		r := openRecords(t, data)
		o, err := r.db.Order(t.Context(), checkout.Test, paid)
		must(t, err)
		receipt, err := r.db.DocumentOf(t.Context(), checkout.Test, paid, o.Payments[0].ID)
		must(t, err)
		left, err := r.db.Facts(t.Context(), 0, 1)
		if err != nil || len(left) > 0 || receipt.Number != 1 || receipt.SuppliedAt != o.Payments[0].At || code != "" && receipt.Code() != code {
			t.Errorf("the receipt is %+v; in the outbox: %+v, %v", receipt, left, err)
		}
		code = receipt.Code()
		if n := countDocuments(t, r.db, o.StoreID, invoices.Receipt); n != 1 {
			t.Errorf("%d receipts", n)
		}
		if _, err := r.db.Mail(t.Context(), receipt.Token); !errors.Is(err, invoices.ErrNotFound) {
			t.Errorf("an e-mail about it: %v", err)
		}
		r.close()
	}
	if told, _ := merchant.events(t); len(told) > 0 {
		t.Errorf("the merchant heard %v", told)
	}
}
