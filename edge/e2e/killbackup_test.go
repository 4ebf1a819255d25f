package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
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
	backupKills    = flag.Int("backup-kills", 2, "at how many operations on files TestKilledBackups kills the server and crepe restore, each; 0 for each operation")
	backupKillSeed = flag.Uint64("backup-kill-seed", uint64(time.Now().UnixNano()), "of TestKilledBackups")
)

// TestKilledBackups kills the server before file operations of a backup, and crepe restore before those of a restore. Earlier backups stay good,
// and the next backup and the next restore remove what is left, say so, and succeed.
func TestKilledBackups(t *testing.T) {
	t.Logf("-backup-kills=%d -backup-kill-seed=%d", *backupKills, *backupKillSeed)
	rng := rand.New(rand.NewPCG(*backupKillSeed, 1))
	data, address, backups := t.TempDir(), freeAddress(t), filepath.Join(t.TempDir(), "backups")
	running := start(t, data, address)
	s := shopOn(t, data)
	s.CreateOrder(t, s.Token(t, "user-1"), shoptest.OrderFor(s.Session(t, nil).SessionID)).CheckoutURL(t)
	running.kill()
	crepe(t, "backup", backups, "--data", data)

	const operations = 15 // of a backup: a file is created, written part by part, synced and renamed, and the temporary name removed
	kills := pick(rng, operations)
	for _, n := range kills {
		if total := killBackup(t, data, address, backups, n+1); total != n+1 {
			t.Errorf("a backup had %d operations and was killed at number %d: the test no longer tests", total, n+1)
		}
		crepe(t, "verify", backups)
		again(t, filepath.Join(backups, "*.unfinished"), "an interrupted backup", "backup", backups, "--data", data)
	}
	crepe(t, "verify", backups)
	rows := []string{fmt.Sprintf("the server, in a full backup\t%d\t%d\t%[2]d", operations, len(kills))}

	dir := t.TempDir()
	total := killRestore(t, backups, dir, 0)
	first := recordsOf(t, dir)
	kills = pick(rng, total)
	for _, n := range kills {
		dir := t.TempDir()
		killRestore(t, backups, dir, n+1)
		made := filepath.Join(dir, "data")
		if _, err := os.Stat(made); err == nil {
			t.Errorf("killed at operation %d of %d: there is %s, and it may not be complete", n+1, total, made)
		}
		again(t, filepath.Join(dir, "*.unfinished"), "an interrupted restore", "restore", backups, "--data", made)
		if restored := recordsOf(t, dir); len(restored.Kinds) < 5 || !maps.Equal(restored.Kinds, first.Kinds) {
			t.Errorf("killed at operation %d of %d: restored %v, and without a kill %v", n+1, total, restored.Kinds, first.Kinds)
		}
	}
	crepe(t, "verify", backups)
	rows = append(rows, fmt.Sprintf("crepe restore\t%d\t%d\t%[2]d", total, len(kills)))
	if *backupKills == 0 {
		keepFaultRows(t, "backupkill", "A backup and a restore, killed", "The server is killed before file operations of a backup in the backups' directory, and crepe "+
			"restore before those of a restore. Earlier backups are verified; the next backup and the next restore remove what is left and succeed.",
			append([]string{"killed\toperations\tkills\tgood afterwards"}, rows...)...)
	}
}

// pick returns as many of the first numbers as are to be tried.
func pick(rng *rand.Rand, total int) []int {
	all := rng.Perm(total)
	if *backupKills > 0 {
		all = all[:min(total, *backupKills)]
	}
	return all
}

// killBackup kills a server before the n-th operation of a full backup, and returns the number of operations.
func killBackup(t *testing.T, data, address, backups string, n int) int {
	t.Helper()
	go func() {
		for range 600 {
			if response, err := http.Get("http://" + address + "/readyz"); err == nil {
				response.Body.Close()
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		exec.Command(binary.path, "backup", backups, "--full", "--data", data).Run() // fails: the server dies
	}()
	return killAt(t, exec.Command(binary.path, "dev", "--data", data, "--listen", address), backups, n)
}

// killRestore kills a restore into data before the n-th operation below dir; with 0 it does not. It returns the number of operations.
func killRestore(t *testing.T, backups, dir string, n int) int {
	t.Helper()
	return killAt(t, exec.Command(binary.path, "restore", backups, "--data", filepath.Join(dir, "data")), dir, n)
}

func killAt(t *testing.T, c *exec.Cmd, dir string, n int) int {
	t.Helper()
	p := filefault.Program{Cmd: c, Dir: dir, Decide: func(op filefault.Op) filefault.Action {
		if op.N == n {
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

// again runs a command that succeeds. If files of a pattern are there it says that it removes them, and does.
func again(t *testing.T, left, says string, args ...string) {
	t.Helper()
	before, err := filepath.Glob(left)
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(binary.path, args...).CombinedOutput()
	if err != nil || strings.Contains(string(output), says) != (len(before) > 0) {
		t.Errorf("crepe %v, when %v was left: %v: %s", args, before, err, output)
	}
	if after, _ := filepath.Glob(left); len(after) > 0 {
		t.Errorf("crepe %v has left %v", args, after)
	}
}

// restoration is how many records of each kind there are.
type restoration struct{ Kinds map[string]int }

// recordsOf verifies what was restored into a directory.
func recordsOf(t *testing.T, dir string) restoration {
	t.Helper()
	return operateJSON[restoration](t, "verify", filepath.Join(dir, "data"))
}
