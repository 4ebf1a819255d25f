package orders_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

var (
	schedules         = flag.Int("schedules", 30, "how many schedules TestModel plays")
	postgresSchedules = flag.Int("postgres-schedules", 5, "how many schedules TestModelPostgres plays")
	modelSeed         = flag.Uint64("model-seed", uint64(time.Now().UnixNano()), "of the schedules of TestModel and TestModelPostgres")
	hunt              = flag.Int("hunt", 0, "how many random schedules TestMistakes plays at most to find each mistake")
)

// TestModel plays random schedules against the real service, database, adapter and provider, and looks at I1 to I18 after
// every step. A schedule that fails is made smaller and printed; -model-seed plays the same ones again.
func TestModel(t *testing.T) {
	checkModel(t, *schedules, func() mutant { return mutant{} })
}

// TestModelPostgres is TestModel with the database on PostgreSQL. A seed gives the same schedules, and not the same interleavings:
// they depend on the server.
func TestModelPostgres(t *testing.T) {
	url := postgres(t)
	checkModel(t, *postgresSchedules, func() mutant {
		server.cluster.Empty(t, url)
		return mutant{postgres: url}
	})
}

// checkModel plays random schedules, each in a simulation that begin describes.
func checkModel(t *testing.T, schedules int, begin func() mutant) {
	t.Helper()
	t.Logf("%d schedules, -model-seed=%d", schedules, *modelSeed)
	setFlag(t, "rapid.checks", strconv.Itoa(schedules))
	setFlag(t, "rapid.seed", strconv.FormatUint(*modelSeed, 10))
	setFlag(t, "rapid.nofailfile", "true")
	anything, start, crashes := schedule(everyFault()), time.Now(), 0
	rapid.Check(t, func(r *rapid.T) {
		steps := anything.Draw(r, "schedule")
		result := play(t, begin(), steps)
		if len(result.violations) > 0 {
			r.Fatalf("%v\n%s", result.violations, result.log)
		}
		crashes += result.crashes
	})
	t.Logf("%d crashes, %v", crashes, time.Since(start).Round(time.Millisecond))
}

func setFlag(t *testing.T, name, value string) {
	t.Helper()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

// result is what came of a schedule.
type result struct {
	violations []violation
	recovered  time.Duration // from the last fault until nothing was in doubt
	crashes    int
	log        string
}

// play takes the steps of a schedule in a new simulation, then lets everything that breaks work again, waits until all is over,
// and says which invariants did not hold.
func play(t *testing.T, m mutant, steps []step) (r result) {
	t.Helper()
	inWorld(t, m, func(w *world) {
		for _, s := range steps {
			s.take(w)
			if !s.racing() {
				w.settle()
				w.checkNow()
			}
		}
		w.recover()
		w.checkNow()
		w.checkAtRest()
		w.comeBack()
		w.checkNow()
		w.outlast()
		w.checkNow()
		w.checkAtTheEnd(rand.New(rand.NewPCG(1, 2)))
		r = result{w.violations, w.recovered, w.crashes, w.log.String()}
	})
	return r
}

// patience is how long it may take until nothing is in doubt: the longest backoff, and the calls of a buyer and the sweeper.
const patience = 6 * time.Minute

// recover ends the faults and waits until nothing is in doubt, though no buyer comes back.
func (w *world) recover() {
	w.provider.Script()
	w.retire()
	w.dieAgain = 0
	w.current.carryOn()
	w.skew.Store(0)
	for w.settle(); w.heldUp(); w.settle() {
		time.Sleep(time.Second)
	}
	start := w.now().Add(w.setBack) // what is due by a clock that was set back is due that much later
	for w.now().Sub(start) < patience && (nothingInDoubt(w.look()) != nil || w.busy()) {
		time.Sleep(time.Second)
		w.settle()
	}
	w.recovered = max(0, w.now().Sub(start))
}

func (w *world) heldUp() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.held > 0
}

// busy: a buyer still waits, and not for a process that has died.
func (w *world) busy() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, a := range w.answers {
		if !a.done && !a.life.ended() {
			return true
		}
	}
	return false
}

// comeBack lets the buyers of all sessions come back, and come back again: they get the same URL, or hear that it is over.
func (w *world) comeBack() {
	for i := range shops {
		for range 2 {
			a := w.submit(w.current, i, "DE")
			for w.settle(); w.busy(); w.settle() {
				time.Sleep(time.Second) // the sweeper is at the order, too
			}
			if _, refused := errors.AsType[problem.List](a.err); a.url == "" && !refused {
				w.check("I4", fmt.Errorf("all works again, and the buyer of session %d gets %v", i, a.err))
			}
		}
	}
}

// outlast passes the end of every checkout, the hour after which money on its way is asked about, the longest pause between
// two tries to deliver an event, and the hour of a reconciliation.
func (w *world) outlast() {
	for range 4 {
		w.leap(45 * time.Minute)
		w.settle()
	}
	reconcile{}.take(w)
	w.settle()
}

// step is one thing that happens.
type step interface {
	take(*world)
	racing() bool // the next one happens meanwhile
}

// submit: a buyer orders, perhaps while others do, perhaps from a process that ought to have ended.
type submit struct {
	Session int
	Country string
	Racing  bool
	Zombie  bool
}

func (s submit) take(w *world) {
	l := w.current
	if s.Zombie && w.zombie != nil {
		l = w.zombie
	}
	w.submit(l, s.Session, s.Country)
}
func (s submit) racing() bool { return s.Racing }

// buy: a buyer opens one of the URLs that were disclosed, and something comes of it.
type buy struct {
	URL     int
	Outcome string
	Racing  bool
}

func (s buy) take(w *world) {
	urls := w.urls()
	if len(urls) == 0 {
		return
	}
	url := urls[len(urls)-1-s.URL%len(urls)]
	err := w.provider.Choose(url[strings.LastIndexByte(url, '/')+1:], s.Outcome)
	if err != nil && err != sandbox.ErrNotPayable {
		w.check("I5", fmt.Errorf("%s: %v", url, err))
	}
	w.noteOver()
}
func (s buy) racing() bool { return s.Racing }

// end: somebody ends the checkout of a URL at the provider, by hand. Unheard is an end whose webhook is lost.
type end struct {
	URL     int
	Unheard bool
}

func (s end) take(w *world) {
	if urls := w.urls(); len(urls) > 0 {
		id := path.Base(urls[len(urls)-1-s.URL%len(urls)])
		if s.Unheard {
			w.provider.Script("lost")
		}
		if err := w.provider.Expire(id); err != nil && err != sandbox.ErrNotPayable {
			w.check("I13", err)
		}
		w.noteOver()
	}
}
func (s end) racing() bool { return false }

// urls are those that buyers have, in the order of their coming.
func (w *world) urls() (urls []string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, a := range w.answers {
		if a.url != "" {
			urls = append(urls, a.url)
		}
	}
	return urls
}

// fail: the provider's next calls and webhooks go wrong.
type fail struct{ Faults []fault.Spec }

func (s fail) take(w *world) {
	w.faulty = w.faulty || slices.ContainsFunc(s.Faults, func(f fault.Spec) bool { return f != "lost" && f != "twice" })
	w.provider.Script(s.Faults...)
}
func (s fail) racing() bool { return true }

// crash: our process dies at a boundary to come; 0 is at once. The next one may die at one of its own.
type crash struct{ In, Again int }

func (s crash) take(w *world) {
	w.dieAgain = s.Again
	w.current.crashIn(s.In)
}
func (s crash) racing() bool { return s.In > 0 }

// stall: whatever passes a boundary to come is held up there.
type stall struct {
	In  int
	For time.Duration
}

func (s stall) take(w *world) { w.current.stallIn(s.In, s.For) }
func (s stall) racing() bool  { return true }

// lose: a commit to come returns an error, whether it was done or not.
type lose struct {
	In      int
	Written bool
}

func (s lose) take(w *world) { w.current.loseIn(s.In, s.Written) }
func (s lose) racing() bool  { return true }

// skew: the provider's clock goes ahead of ours, or behind.
type skew struct{ By time.Duration }

func (s skew) take(w *world) { w.skew.Store(int64(s.By)) }
func (s skew) racing() bool  { return false }

// overlap: a second process starts, and the one that there is goes on.
type overlap struct{}

func (overlap) take(w *world) { w.overlap() }
func (overlap) racing() bool  { return false }

// reconcile: it is time to compare what the provider has with what we have, which no leap lets happen by itself.
type reconcile struct{}

func (reconcile) take(w *world) {
	l := w.current
	go l.service.Reconcile(context.Background())
}
func (reconcile) racing() bool { return false }

// pass: time passes.
type pass struct{ For time.Duration }

func (s pass) take(*world)  { time.Sleep(s.For) }
func (s pass) racing() bool { return false }

// leap: time passes, and nobody looks meanwhile.
type leap struct{ For time.Duration }

func (s leap) take(w *world) { w.leap(s.For) }
func (s leap) racing() bool  { return false }

// schedule generates up to a dozen steps, with faults out of a list.
func schedule(faults []fault.Spec) *rapid.Generator[[]step] {
	ofRefunds := faultsOfRefunds(faults)
	one := rapid.Custom(func(t *rapid.T) []step {
		session := rapid.IntRange(0, shops-1)
		switch rapid.SampledFrom(strings.Fields("submit submit submit submit buy buy refund refund end fail fail crash stall lose skew overlap reconcile pass pass leap leap")).Draw(t, "step") {
		case "submit":
			return []step{submit{session.Draw(t, "session"), rapid.SampledFrom([]string{"DE", "FR"}).Draw(t, "country"),
				rapid.Bool().Draw(t, "racing"), rapid.Bool().Draw(t, "zombie")}}
		case "buy":
			return []step{buy{rapid.IntRange(0, 3).Draw(t, "url"), rapid.SampledFrom(choices).Draw(t, "outcome"), rapid.Bool().Draw(t, "racing")}}
		case "refund":
			s := moneyBack{Session: session.Draw(t, "session"), Amount: rapid.SampledFrom([]string{"10.00", "34.51", "0.01"}).Draw(t, "amount"),
				Again: rapid.Bool().Draw(t, "again"), Racing: rapid.Bool().Draw(t, "racing")}
			if len(ofRefunds) > 0 && rapid.Bool().Draw(t, "faulty") {
				s.Faults = rapid.SliceOfN(rapid.SampledFrom(ofRefunds), 1, 3).Draw(t, "faults")
			}
			if rapid.Bool().Draw(t, "sold") {
				return []step{s}
			}
			paid := buy{Outcome: rapid.SampledFrom(paying).Draw(t, "outcome")}
			return []step{submit{Session: s.Session, Country: "DE"}, paid, pass{time.Second}, s} // by chance few schedules have a payment before a refund
		case "end":
			over := end{rapid.IntRange(0, 3).Draw(t, "url"), rapid.Bool().Draw(t, "unheard")}
			if rapid.Bool().Draw(t, "any") {
				return []step{over}
			}
			buyer := submit{Session: session.Draw(t, "session"), Country: "DE"} // comes back
			return []step{buyer, end{Unheard: over.Unheard}, pass{rapid.SampledFrom(stretches[:4]).Draw(t, "for")}, buyer}
		case "fail":
			return []step{fail{rapid.SliceOfN(rapid.SampledFrom(faults), 1, 3).Draw(t, "faults")}}
		case "crash":
			return []step{crash{rapid.IntRange(0, 8).Draw(t, "in"), rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 4}).Draw(t, "again")}}
		case "stall":
			return []step{stall{rapid.IntRange(1, 6).Draw(t, "in"), rapid.SampledFrom(stretches[:4]).Draw(t, "for")}}
		case "lose":
			return []step{lose{rapid.IntRange(1, 4).Draw(t, "in"), rapid.Bool().Draw(t, "written")}}
		case "skew":
			return []step{skew{rapid.SampledFrom([]time.Duration{-90 * time.Second, 90 * time.Second}).Draw(t, "by")}}
		case "overlap":
			return []step{overlap{}}
		case "reconcile":
			return []step{reconcile{}}
		case "pass":
			return []step{pass{rapid.SampledFrom(stretches[:4]).Draw(t, "for")}}
		default:
			return []step{leap{rapid.SampledFrom(stretches[4:]).Draw(t, "for")}}
		}
	})
	return rapid.Custom(func(t *rapid.T) []step { return slices.Concat(rapid.SliceOfN(one, 1, 14).Draw(t, "schedule")...) })
}

// faultsOfRefunds are those of a list that a refund meets: of the call that makes it, and of the webhooks about it.
func faultsOfRefunds(faults []fault.Spec) (met []fault.Spec) {
	for _, f := range faults {
		parsed, err := f.Parse()
		must(err)
		if parsed.On == fault.Refund || parsed.Webhook != "" {
			met = append(met, f)
		}
	}
	return met
}

// choices are what buyers do on the provider's page.
var choices = append([]string{"declined", "later", "later_fails", "challenge"}, paying...)

// paying are those of choices that are payments at once.
var paying = []string{"succeeds", "succeeds", "succeeds", "refund_later", "refund_fails", "refund_later_fails"}

// stretches of time: within a budget, beyond it, beyond the window of a replay, beyond a checkout's end; and the clock set back.
var stretches = []time.Duration{300 * time.Millisecond, 5 * time.Second, 12 * time.Second, 40 * time.Second,
	6 * time.Minute, 31 * time.Minute, 59*time.Minute + 30*time.Second, 63 * time.Minute, 25 * time.Hour, -3 * time.Minute}

// everyFault is every fault of the sandbox, with its usual length and with others, for every operation that we make.
func everyFault() (all []fault.Spec) {
	for _, f := range fault.All() {
		all = append(all, f)
		all = append(all, variants[f]...)
	}
	return all
}

// variants are a fault's other lengths, and the other operations that it befalls.
var variants = map[fault.Spec][]fault.Spec{
	"timeout":           {"retrieve.timeout", "expire.timeout", "list.timeout", "refund.timeout"},
	"reset":             {"retrieve.reset", "expire.reset", "refund.reset"},
	"429":               {"429:2s", "expire.429", "retrieve.429", "refund.429"},
	"502":               {"expire.502", "retrieve.502", "list.502", "refund.502"},
	"lost_response":     {"expire.lost_response", "retrieve.lost_response", "refund.lost_response"},
	"reset_side_effect": {"expire.reset_side_effect", "refund.reset_side_effect"},
	"truncated":         {"expire.truncated", "refund.truncated"},
	"malformed":         {"expire.malformed", "retrieve.malformed", "list.malformed", "refund.malformed"},
	"huge":              {"refund.huge"},
	"502_side_effect":   {"expire.502_side_effect", "refund.502_side_effect"},
	"500_saved":         {"expire.500_saved", "refund.500_saved"},
	"500_side_effect":   {"expire.500_side_effect", "refund.500_side_effect"},
	"409":               {"refund.409"},
	"400":               {"refund.400"},
	"slow":              {"slow:800ms", "slow:6s", "slow:20s", "expire.slow:6s", "refund.slow:6s"},
	"late":              {"late:5m"},
	"out_of_order":      {"out_of_order:5m"},
}
