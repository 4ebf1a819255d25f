package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
)

var (
	liveCopies = flag.Int("copies", 2, "how often TestCopiedDirectory copies the directory of a running binary")
	copySeed   = flag.Uint64("copy-seed", uint64(time.Now().UnixNano()), "of TestCopiedDirectory")
)

// TestCopiedDirectory copies the directory of a running binary file by file while clients order. A start on a copy is refused with a text that
// names crepe backup, or the copy has everything that was acknowledged before it began.
func TestCopiedDirectory(t *testing.T) {
	t.Logf("-copies=%d -copy-seed=%d", *liveCopies, *copySeed)
	rng := rand.New(rand.NewPCG(*copySeed, 1))
	data := t.TempDir()
	start(t, data, freeAddress(t))
	s := shopOn(t, data)
	certain, uncertain, complete, compared := 0, 0, 0, 0
	for i := range *liveCopies {
		copied := filepath.Join(t.TempDir(), "data")
		var began time.Time
		acks := submitWhile(t, s, rng, func() {
			time.Sleep(time.Duration(50+rng.IntN(200)) * time.Millisecond)
			began = time.Now()
			if output, err := exec.Command("cp", "-r", data, copied).CombinedOutput(); err != nil {
				t.Logf("cp: %v: %s", err, output) // a file was removed meanwhile
			}
		})
		refusal := startCopy(t, copied)
		switch {
		case strings.Contains(refusal, "this looks like a copy of a running directory: make backups with crepe backup"):
			certain++
		case strings.Contains(refusal, "it is damaged, or a copy of a running directory: make backups with crepe backup"):
			uncertain++
		case refusal != "":
			t.Errorf("copy %d is refused: %s", i, refusal)
		default:
			complete++
			compared += compareCopy(t, copied, acks, began)
		}
		t.Logf("copy %d: %d acknowledged; %s", i, len(acks), refusal)
	}
	if *liveCopies >= 25 {
		keepFaultRows(t, "copy", "A copy of a running directory", "Four clients order and edit while the data directory is copied with cp. The binary is "+
			"started on each copy. It refuses with a text that names crepe backup, or everything that was acknowledged before the copying "+
			"began is there.", "what\tcopies\trefused as a copy\trefused as damaged or a copy\tcomplete\tincomplete and served",
			fmt.Sprintf("cp -r under load\t%d\t%d\t%d\t%d\t0", *liveCopies, certain, uncertain, complete))
	}
	t.Logf("%d copies: refused as such %d, refused as damaged or a copy %d, complete %d (%d orders compared)", *liveCopies, certain, uncertain, complete, compared)
}

// startCopy starts the binary on a copied directory. It returns why that is refused; "" if the binary serves.
func startCopy(t *testing.T, data string) (refusal string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary.path, "dev", "--data", data, "--listen", "127.0.0.1:0")
	var text bytes.Buffer
	c.Stderr = &text
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	n, _ := out.Read(make([]byte, 1)) // what it prints when it serves; none if it ends
	c.Process.Kill()
	if err := c.Wait(); n == 0 && text.Len() == 0 {
		t.Errorf("the binary ended without a word: %v", err)
	}
	if n > 0 {
		return ""
	}
	return text.String()
}

// compareCopy compares a copy that was served with what was acknowledged before a time, and returns how much that is. A damage that a read
// detects is as good as a refusal.
func compareCopy(t *testing.T, data string, acks []acknowledgement, before time.Time) (compared int) {
	t.Helper()
	db, err := badgerstore.Open(filepath.Join(data, ownDatabase), badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, a := range acks {
		if !a.at.Before(before) {
			continue
		}
		session, err := db.Session(t.Context(), a.session)
		if errors.Is(err, durable.ErrDamaged) {
			return compared
		}
		if err != nil {
			t.Fatal(err)
		}
		order, err := db.Order(t.Context(), session.Environment, session.OrderID)
		if errors.Is(err, durable.ErrDamaged) {
			return compared
		}
		if err != nil || !knows(order, a) {
			t.Errorf("%s acknowledged %s for %s before it was copied; the copy is served without it: %v", a.session, a.url, a.country, err)
		}
		compared++
	}
	return compared
}
