package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// budgetOrders is how many orders BenchmarkBudget profiles.
const budgetOrders = 10_000

// parts are the parts of a durable create-order. A sample of the profile belongs to the first part that matches its stack, the functions
// from the innermost on.
var parts = []struct {
	name  string
	stack *regexp.Regexp
}{
	{"garbage collection", regexp.MustCompile(`runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge|gcStart|deductSweepCredit)`)},
	{"Badger: SSTables", regexp.MustCompile(`badger/v4\.\(\*levelsController\)\.(runCompactor|addLevel0Table)|badger/v4\.\(\*DB\)\.(flushMemtable|handleMemTableFlush)|badger/v4/table\.\(\*Builder\)`)},
	{"commits: journal, fdatasync", regexp.MustCompile(`durable\.\(\*journal\)`)},
	{"commits: Badger's log and memtable", regexp.MustCompile(`badger/v4\.\(\*DB\)\.(doWrites|writeRequests)`)},
	{"commits: batches in the writer", regexp.MustCompile(`durable\.\(\*DB\)\.(write|persist\.func1)\b`)},
	{"encode records", regexp.MustCompile(`edge/record\.Marshal`)},
	{"provider's client", regexp.MustCompile(`orders\.\(\*flow\)\.call\b|psp/stripe\.call|fasthttp\.\(\*HostClient\)`)},
	{"commit 2, in the request", regexp.MustCompile(`orders\.\(\*Service\)\.commit .*orders\.\(\*flow\)\.send`)},
	{"commit 1, in the request", regexp.MustCompile(`orders\.\(\*Service\)\.commit `)},
	{"render", regexp.MustCompile(`psp/stripe\.\(\*Provider\)\.Render`)},
	{"token", regexp.MustCompile(`edge/auth\.\(\*Service\)\.`)},
	{"reads", regexp.MustCompile(`badgerstore\.\(\*DB\)\.|durable\.\(\*DB\)\.(Get|View)`)},
	{"rules", regexp.MustCompile(`crepe/core/|orders\.\(\*Request\)\.prepare`)},
	{"parse: HTTP and JSON", regexp.MustCompile(`edge/api\.decode|fasthttp\.\(\*Request|server\.readBody|edge/http1|(bufio\.\(\*Reader\)|fasthttp\.acquireReader).*fasthttp\.\(\*Server\)\.serveConn`)},
	{"answer", regexp.MustCompile(`fasthttp\.\(\*Response|fasthttp\.writeResponse|bufio\.\(\*Writer\).*fasthttp\.\(\*Server\)\.serveConn`)},
	{"rest of the workflow", regexp.MustCompile(`orders\.\(\*Service\)\.Create`)},
	{"rest of the handler", regexp.MustCompile(`server\.\(\*server\)\.handle|fasthttp\.\(\*(Server|workerPool)\)`)},
	{"goroutines: scheduling", regexp.MustCompile(`runtime\.(schedule|mcall|mstart|sysmon|findRunnable|park_m|goexit0|rt0_go)`)},
	{"other", regexp.MustCompile(``)},
}

// BenchmarkBudget prints where the CPU time of a durable create-order goes, with 64 clients and the sandbox provider in a process of its
// own: a CPU profile of the server, by parts.
func BenchmarkBudget(b *testing.B) {
	t, sessions := seed(b, budgetOrders+budgetOrders/10)
	profile := filepath.Join(b.TempDir(), "cpu")
	c := exec.Command(os.Args[0])
	b.Setenv(profiledServer, strings.Join([]string{profile, t.data, t.address, startProvider(b)}, " "))
	control, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	t.run(b, c, "/readyz")
	token := t.token(b)
	order := func(sessions []string) measured {
		return t.drive(b, load{clients: 64, requests: len(sessions), body: func(i int) string { return shoptest.OrderBody(sessions[i]) }, token: token})
	}
	order(sessions[budgetOrders:]) // connections and pools
	fmt.Fprintln(control)
	r := order(sessions[:budgetOrders])
	control.Close()
	if _, err := c.Process.Wait(); err != nil {
		b.Fatal(err)
	}
	times, total := readProfile(b, profile)
	table := newTable("part\tCPU µs/order\tshare\t")
	for _, p := range parts {
		table.row(p.name, float64(times[p.name].Microseconds())/budgetOrders, fmt.Sprintf("%.1f%%", 100*times[p.name].Seconds()/total.Seconds()))
	}
	table.row("together", float64(total.Microseconds())/budgetOrders, "")
	fmt.Printf("\n%s", table)
	b.ReportMetric(r.cpu, "CPU-µs/order")
}

// readProfile returns the time of each part, and of all.
func readProfile(b *testing.B, file string) (times map[string]time.Duration, total time.Duration) {
	b.Helper()
	text, err := exec.Command("go", "tool", "pprof", "-traces", file).Output()
	if err != nil {
		b.Fatal(err)
	}
	times = make(map[string]time.Duration)
	for _, sample := range strings.Split(string(text), "-----------+")[1:] {
		_, sample, _ = strings.Cut(sample, "\n")
		functions := strings.Fields(strings.ReplaceAll(sample, " (inline)", ""))
		if len(functions) < 2 {
			continue
		}
		took, err := time.ParseDuration(functions[0])
		if err != nil {
			b.Fatal(err)
		}
		stack := strings.Join(functions[1:], " ") + " "
		for _, p := range parts {
			if p.stack.MatchString(stack) {
				times[p.name] += took
				break
			}
		}
		total += took
	}
	return times, total
}
