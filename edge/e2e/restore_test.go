package e2e

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var restores = flag.Int("restores", 1, "how many sessions TestRestoredBackup orders from in each way")

// lost are the changes between the backup and its restoration.
var lost = []struct {
	name           string
	backedUp, past []string // countries that are ordered to before the backup, and after it
	paid           bool     // the last checkout
	next           string   // country that is ordered to after the restoring
	sold           bool     // and whether that gets a URL
}{
	{"nothing", nil, nil, false, "DE", true},
	{"the order; the same again", nil, []string{"DE"}, false, "DE", true},
	{"the order; another country", nil, []string{"DE"}, false, "FR", true},
	{"the order and an edit; the same again", nil, []string{"DE", "FR"}, false, "FR", true},
	{"the order and its payment; the same again", nil, []string{"DE"}, true, "DE", false},
	{"the order and its payment; another country", nil, []string{"DE"}, true, "FR", false},
	{"the edit and its payment; the first again", nil, []string{"DE", "FR"}, true, "DE", false},
	{"an edit; the first again", []string{"DE"}, []string{"FR"}, false, "DE", false},
	{"an edit; the same again", []string{"DE"}, []string{"FR"}, false, "FR", false},
	{"an edit and its payment; the same again", []string{"DE"}, []string{"FR"}, true, "FR", false},
	{"a payment; another country", []string{"DE"}, nil, true, "FR", false},
}

// TestRestoredBackup restores a backup of the database; the provider keeps its state. No session has two checkouts that can be paid,
// a paid session is not sold again, and a URL that is answered can be paid.
func TestRestoredBackup(t *testing.T) {
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	token := s.Token(t, "user-1")
	sessions, urls := make([][]string, len(lost)), make(map[string]string)
	order := func(session, country string) shoptest.Reply {
		return s.CreateOrder(t, token, shoptest.OrderTo(session, country))
	}
	each := func(do func(kind int, session string)) {
		for kind, ids := range sessions {
			for _, id := range ids {
				do(kind, id)
			}
		}
	}
	for kind := range lost {
		for range *restores {
			sessions[kind] = append(sessions[kind], s.Session(t, nil).SessionID)
		}
	}
	each(func(kind int, session string) {
		for _, country := range lost[kind].backedUp {
			urls[session] = order(session, country).CheckoutURL(t)
		}
	})
	database, backup := filepath.Join(data, ownDatabase), filepath.Join(t.TempDir(), "backup")
	crepe(t, "backup", backup, "--data", data) // while it runs
	crepe(t, "backup", "drill", backup)
	crepe(t, "verify", backup)
	refused(t, nil, "verify a backup: crepe backup DIR --data "+data, "verify", data)
	each(func(kind int, session string) {
		for _, country := range lost[kind].past {
			urls[session] = order(session, country).CheckoutURL(t)
		}
		if lost[kind].paid {
			s.Pay(t, urls[session])
		}
	})
	running.kill()
	if err := os.RemoveAll(database); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	crepe(t, "restore", backup, "--data", restored)
	mark := filepath.Join(data, "restored.json")
	err := errors.Join(os.Rename(filepath.Join(restored, ownDatabase), database), os.Rename(filepath.Join(restored, "restored.json"), mark))
	if err != nil {
		t.Fatal(err)
	}

	running = start(t, data, address)
	again, sold := make([]int, len(lost)), make([]int, len(lost))
	each(func(kind int, session string) {
		answer := order(session, lost[kind].next)
		again[kind]++
		if answer.Status == http.StatusOK {
			sold[kind]++
		}
		if (answer.Status == http.StatusOK) != lost[kind].sold || answer.Status >= 500 {
			t.Errorf("%s: %v", lost[kind].name, answer)
		}
	})
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Error("orders were taken, and the restored directory was not compared with the provider:", err)
	}
	running.kill()
	payable := auditRestored(t, data)
	rows := []string{"what the copy lacks; the order afterwards\tsessions\tanswered with a URL\tpayable or paid twice"}
	for kind, k := range lost {
		bad := 0
		for _, id := range sessions[kind] {
			if payable[id] > 1 {
				bad++
				t.Errorf("%s: %d checkouts of one session are paid or can be", k.name, payable[id])
			}
			if k.sold && payable[id] == 0 {
				t.Errorf("%s: the URL that was answered cannot be paid", k.name)
			}
		}
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d", k.name, again[kind], sold[kind], bad))
	}
	if *restores >= 5 {
		keepFaultRows(t, "restore", "A restored backup", "The binary is killed, its database is replaced by a restored backup, and the provider "+
			"keeps its state. The same buyer orders again. A session never has two checkouts that are paid or can be paid, and a paid "+
			"session is not sold again; a session whose checkout was ended after the backup is refused, and the buyer needs a new one.",
			rows...)
	}
}

// crepe runs a command of the binary, which must succeed.
func crepe(t *testing.T, args ...string) {
	t.Helper()
	if output, err := exec.Command(binary.path, args...).CombinedOutput(); err != nil {
		t.Fatalf("crepe %v: %v\n%s", args, err, output)
	}
}

// auditRestored counts at the provider, for each session, the checkouts that are paid or can be.
func auditRestored(t *testing.T, data string) map[string]int {
	t.Helper()
	r := openRecords(t, data)
	defer r.close()
	all, err := r.provider.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, remote := range all {
		if remote.Payable || remote.Paid {
			count[remote.Metadata["checkout_session_id"]]++
		}
	}
	return count
}

func copyAll(t *testing.T, from, to string) {
	t.Helper()
	output, err := exec.Command("cp", "-a", from, to).CombinedOutput()
	if err != nil {
		t.Fatal(cmp.Or(string(output), err.Error()))
	}
}
