package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/filefault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var (
	startKills    = flag.Int("start-kills", 4, "at how many operations on files TestStartKills kills the starting binary; 0 for each")
	startKillSeed = flag.Uint64("start-kill-seed", uint64(time.Now().UnixNano()), "of TestStartKills")
)

// TestStartKills kills the binary before file operations of its start, the first one or one after a crash. The next start succeeds
// and has everything that was acknowledged.
func TestStartKills(t *testing.T) {
	t.Logf("-start-kills=%d -start-kill-seed=%d", *startKills, *startKillSeed)
	rng := rand.New(rand.NewPCG(*startKillSeed, 1))
	address := freeAddress(t)
	crashed := t.TempDir()
	running := start(t, crashed, address)
	s := shopOn(t, crashed)
	token, request := s.Token(t, "user-1"), shoptest.OrderFor(s.Session(t, nil).SessionID)
	url := s.CreateOrder(t, token, request).CheckoutURL(t)
	running.kill()

	var rows []string
	for name, image := range map[string]string{"its first start": t.TempDir(), "a start after a crash": crashed} {
		data := filepath.Join(t.TempDir(), "data")
		restore(t, image, data)
		total := killStart(t, data, address, started)
		kills := rng.Perm(total)
		if *startKills > 0 {
			kills = kills[:min(total, max(1, *startKills/2))]
		}
		for _, n := range kills {
			restore(t, image, data)
			killStart(t, data, address, func(op filefault.Op) bool { return op.N == n+1 || started(op) })
			again := start(t, data, address)
			if image == crashed {
				if got := s.CreateOrder(t, s.Token(t, "user-1"), request).CheckoutURL(t); got != url {
					t.Errorf("%s, killed at operation %d: %s instead of %s", name, n+1, got, url)
				}
			}
			again.kill()
		}
		t.Logf("%s: %d operations, killed at %d", name, total, len(kills))
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%[3]d", name, total, len(kills)))
	}
	if *startKills == 0 || *startKills >= 40 {
		keepFaultRows(t, "start", "The binary, killed while it starts", "The binary is killed before file operations of its start, all of them or a random choice: "+
			"creating, writing, truncating, mapping, syncing, renaming and deleting files in the data directory. The next start serves "+
			"everything that was acknowledged.",
			append([]string{"killed in\toperations\tkills\tserved afterwards"}, rows...)...)
	}
}

// started reports whether a start has reached its last file, dev.json.
func started(op filefault.Op) bool { return strings.HasPrefix(op.Path, "dev.json") }

// killStart starts the binary and kills it before the first operation that matches. It returns the number of operations.
func killStart(t *testing.T, data, address string, at func(filefault.Op) bool) int {
	t.Helper()
	p := filefault.Program{Cmd: exec.Command(binary.path, "dev", "--data", data, "--listen", address), Dir: data,
		Decide: func(op filefault.Op) filefault.Action {
			if at(op) {
				return filefault.Kill
			}
			return filefault.Go
		}}
	total, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// restore replaces a directory by a copy of another, keeping sparse files.
func restore(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("cp", "-a", "--sparse=always", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}
