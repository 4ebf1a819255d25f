package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// madeFile names the sessions of a data directory of the version before, by what became of them, and what that version answered.
const madeFile = "made.json"

// TestUpgrade starts this version on data directories that the version of commit f8e39ee has written, one of which was killed. Nothing in
// them expires before 2076, because that version was built with other expiries.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := versionBefore(t)
	for _, ended := range []string{"stopped", "killed"} {
		t.Run(ended, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(dir, ended)
			sound(t, data)
			running := start(t, data, freeAddress(t))
			goesOn(t, data, shopOn(t, data), readMade(t, data))
			must(t, running.Process.Signal(syscall.SIGTERM))
			must(t, running.Wait())
			sound(t, data)
			isKept(t, data)
		})
	}
}

// TestUpgradePostgres migrates a database of the version of commit f8e39ee, a dump with the records of a data directory of TestUpgrade.
func TestUpgradePostgres(t *testing.T) {
	t.Parallel()
	cluster, data := postgres(t), filepath.Join(versionBefore(t), "stopped")
	dump, err := exec.Command("gzip", "-dc", filepath.Join("..", "pgstore", "testdata", "version3.sql.gz")).Output()
	must(t, err)
	cluster.Exec(t, string(dump))
	own, address := t.TempDir(), freeAddress(t)
	copyAll(t, filepath.Join(data, sandboxDatabase), own)
	serve := []string{"serve", "--sandbox", "--private-webhooks", "--store", cluster.URL(), "--data", own, "--listen", address}
	refused(t, nil, "the database's schema is older than this crepe; run crepe migrate up", serve...)
	operate(t, "migrate", "up", "--store", cluster.URL())
	server, _ := launch(t, serve...)
	waitReady(t, address)
	goesOn(t, own, shoptest.New(t, "http://"+address, readDevFile(t, data)), readMade(t, data))
	must(t, server.Process.Signal(syscall.SIGTERM))
	must(t, server.Wait())

	copied := filepath.Join(t.TempDir(), "copied")
	operate(t, "migrate", "postgres-to-badger", "--data", copied, "--store", cluster.URL())
	for from, name := range map[string]string{own: sandboxDatabase, data: madeFile} {
		copyAll(t, filepath.Join(from, name), copied)
	}
	isKept(t, copied)
}

// versionBefore unpacks the data directories of the version before.
func versionBefore(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if output, err := exec.Command("tar", "xzf", filepath.Join("..", "badgerstore", "testdata", "version1.tar.gz"), "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return dir
}

func readMade(t *testing.T, data string) (made map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, madeFile))
	must(t, err)
	must(t, json.Unmarshal(text, &made))
	return made
}

// sound reads all records of a stopped server's data directory.
func sound(t *testing.T, data string) {
	t.Helper()
	if out := operate(t, "verify", data); !strings.Contains(out, "No fault was found.") {
		t.Error(out)
	}
	if out := operate(t, "migrate", "status", "--data", data); !strings.Contains(out, "It is up to date.") {
		t.Error(out)
	}
}

// goesOn ends what was begun with the version before: a payment that was not confirmed, a refund ticket, a delivery, the merchant's key,
// an idempotency key.
func goesOn(t *testing.T, data string, shop *shoptest.Shop, made map[string]string) {
	t.Helper()
	if open := refundCommand[[]admin.Ticket](t, data, "list"); len(open) != 1 {
		t.Errorf("open tickets: %+v", open)
	} else {
		operate(t, "refund", "approve", open[0].ID, "--data", data)
	}
	resend(t, data, shop.File.StoreID)
	header := shoptest.Bearer(shop.Token(t, "user-1"))
	header["X-Idempotency-Key"] = "upgrade-1"
	if got := shop.Post(t, shoptest.CreateOrderPath, shoptest.OrderBody(made["idempotent"]), header); got.CheckoutURL(t) != made["answer"] {
		t.Errorf("the idempotency key of before answers %v, want %s", got, made["answer"])
	}
	buy(t, shop)
	shoptest.Eventually(t, "the payment is confirmed", func() bool {
		var read struct{ Payments []struct{} }
		must(t, shop.Merchant.Call("/v1/graphql", map[string]any{"query": `{payments(storeId: "` + shop.File.StoreID + `") {id}}`}, &read))
		return len(read.Payments) == 6 // four of before, this one, and the new one
	})
}

// isKept reads the orders of the version before and their receipts.
func isKept(t *testing.T, data string) {
	t.Helper()
	r, made := openRecords(t, data), readMade(t, data)
	defer r.close()
	for name, want := range map[string]struct {
		state   orders.State
		refunds int
	}{"refunded": {orders.Paid, 1}, "partly": {orders.Paid, 1}, "asked": {orders.Paid, 1}, "paid": {orders.Paid, 0}, "processing": {orders.Paid, 0},
		"expired": {orders.Expired, 0}} {
		_, o := r.order(t, made[name])
		if o.State != want.state || len(o.Refunds) != want.refunds {
			t.Errorf("%s is %s with refunds %+v", name, o.State, o.Refunds)
			continue
		}
		for _, p := range o.Payments {
			if d, err := r.db.DocumentOf(t.Context(), checkout.Test, o.ID, p.ID); err != nil || d.Number == 0 {
				t.Errorf("%s: the receipt is %+v, %v", name, d, err)
			}
		}
	}
}

// resend sends a delivery again that an endpoint of before has accepted. Nothing listens there any more.
func resend(t *testing.T, data, storeID string) {
	t.Helper()
	find := func(holds func(admin.Delivery) bool) (found []admin.Delivery) {
		for _, d := range operateJSON[[]admin.Delivery](t, "webhook", "deliveries", "--store-id", storeID, "--data", data) {
			if holds(d) {
				found = append(found, d)
			}
		}
		return found
	}
	accepted := find(func(d admin.Delivery) bool { return d.State == notify.Delivered })
	if len(accepted) != 6 {
		t.Fatalf("%d deliveries were accepted before, want 6", len(accepted))
	}
	operate(t, "webhook", "resend", accepted[0].ID, "--data", data)
	shoptest.Eventually(t, "the delivery is sent again", func() bool {
		return len(find(func(d admin.Delivery) bool { return d.ID == accepted[0].ID && len(d.Tries) == 2 })) == 1
	})
}
