package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/core/vatid"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

func newModule(t *testing.T, instances int) *Module {
	t.Helper()
	m, err := New(t.Context(), Config{Instances: instances})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

func TestEmail(t *testing.T) {
	m := newModule(t, 0)
	for _, typed := range []string{"", " Foo@Bar.COM\n", "ada@gmial.com", "ΟΔΥΣΣΕΥΣ@example.com", "no address", `"<&>"@example.com`, "a\u2028b@example.com"} {
		got, err := m.Email(t.Context(), typed)
		address := email.Normalize(typed)
		if want := (Email{address, email.Valid(address), email.Suggest(address)}); err != nil || got != want {
			t.Errorf("%q: %+v, %v; core returns %+v", typed, got, err, want)
		}
	}
}

var yes, no = true, false

var buyers = []billing.Input{
	{},
	{Country: "us", IsBusiness: &no, State: "US-tx", Postcode: "73301"},
	{Country: "US", IsBusiness: &yes},
	{Country: "CA", IsBusiness: &no, State: "QC"},
	{Country: "DE", IsBusiness: &no, Postcode: "1"},
	{Country: "DE", IsBusiness: &yes, BusinessName: "Beispiel GmbH", TaxID: "136.695.976"},
	{Country: "GB", IsBusiness: &yes, BusinessName: "Example & Sons <Ltd>", TaxID: "none yet"},
	{Country: "HK", IsBusiness: &yes, State: "九龍", BusinessName: "香港可麗餅有限公司"},
	{Country: "CN", IsBusiness: &no},
}

func TestBilling(t *testing.T) {
	m := newModule(t, 0)
	for _, in := range buyers {
		want, wantProblems := billing.Check(in)
		if wantProblems != nil {
			want = billing.Detail{}
		}
		got, problems, err := m.Billing(t.Context(), in)
		if err != nil || got != want || !reflect.DeepEqual(problems, wantProblems) {
			t.Errorf("%+v: %+v, %v, %v; core returns %+v, %v", in, got, problems, err, want, wantProblems)
		}
	}
}

func TestQuote(t *testing.T) {
	m := newModule(t, 0)
	own, wrong := table.Parse("id\tjurisdiction\ttax\trate\tpostcode\naustin\tUS-TX\tsales\t8.25\t733\nde\tDE\tvat\t18\t\n")
	if wrong != nil {
		t.Fatal(wrong)
	}
	const on = civil.Date(20_780) // 2026-11-23
	seller := tax.Seller{Country: "IE", Registrations: []tax.Registration{{Jurisdiction: "EU"}, {Jurisdiction: "US-TX", From: on}}}
	for _, terms := range []checkout.Terms{
		{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Seller: seller, Step: 1},
		{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.Ebook, Seller: seller, Step: 1, Inclusive: true},
		{Price: money.Amount{Minor: 9990, Currency: "KWD"}, Category: tax.SaaS, Seller: tax.Seller{Country: "US", Everywhere: true}, Step: 10},
		{Price: money.Amount{Minor: 4500, Currency: "JPY"}, Category: tax.SaaS, Seller: seller},
	} {
		for _, buyer := range buyers {
			for _, rates := range []*table.Table{nil, &own} {
				for _, discount := range []checkout.Discount{{}, {Label: "Welcome", Minor: 507}, {Label: "All", Minor: terms.Price.Minor}} {
					quoteAlike(t, m, QuoteInput{Terms: &terms, Buyer: buyer, IPCountry: "DE", On: on, Rates: rates, Discount: discount})
				}
			}
		}
	}
}

// quoteAlike compares with core.
func quoteAlike(t *testing.T, m *Module, in QuoteInput) {
	t.Helper()
	got, problems, err := m.Quote(t.Context(), in)
	if err != nil {
		t.Fatalf("%+v: %v", in, err)
	}
	detail, wantProblems := billing.Check(in.Buyer)
	var want checkout.Quote
	if wantProblems == nil {
		quote, p := in.Terms.QuoteLess(in.Discount, &detail, in.IPCountry, in.On, in.Rates)
		if want = quote; p != nil {
			want, wantProblems = checkout.Quote{}, append(wantProblems, p)
		}
	}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(problems, wantProblems) {
		t.Errorf("%+v:\n%+v, %v; core returns\n%+v, %v", in, got, problems, want, wantProblems)
	}
}

func TestFields(t *testing.T) {
	m := newModule(t, 0)
	for c := range country.All() {
		for _, postcode := range []string{"", "10012", "K1A 0B1"} {
			fields, state, err := m.Fields(t.Context(), c, postcode)
			if err != nil || !reflect.DeepEqual(fields, billing.Fields(c)) || state != c.StateOf(postcode) {
				t.Errorf("%s %q: %+v, %q, %v", c, postcode, fields, state, err)
			}
		}
	}
}

func TestTaxID(t *testing.T) {
	m := newModule(t, 0)
	for _, typed := range []string{"", "DE 136 695 976", "136695977", "13669597", "FR40303265045", "\xff"} {
		for _, cc := range []string{"DE", "FR", "GR", "US", ""} {
			number, fault, err := m.TaxID(t.Context(), cc, typed)
			if want, wantFault := vatid.Parse(cc, typed); err != nil || number != want || fault != wantFault {
				t.Errorf("%s %q: %q, %s, %v; core returns %q, %s", cc, typed, number, fault, err, want, wantFault)
			}
		}
	}
}

const instant = 1_795_438_800_000 // in 2026

func TestPlace(t *testing.T) {
	m := newModule(t, 0)
	seller := tax.Seller{Country: "IE", Registrations: []tax.Registration{{Jurisdiction: "EU"}}}
	session := checkout.Session{
		ID: "cs_1", Environment: checkout.Test, StoreID: "STO_1", Product: checkout.Product{ID: "PROD_1", Type: checkout.OneTime},
		Terms:     checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Seller: seller, Step: 1},
		ExpiresAt: instant + 1, BuyerEmail: "Bob@Example.com", SuccessURL: "https://example.com/thanks",
	}
	closed, expired, foreign := session, session, session
	closed.Closed, expired.ExpiresAt, foreign.StoreID = true, instant, "STO_2"
	for _, s := range []*checkout.Session{nil, &session, &closed, &expired, &foreign} {
		for _, buyer := range append(buyers, billing.Input{Country: "DE", IsBusiness: &no}) {
			for _, r := range []checkout.Request{
				{},
				{SessionID: "cs_1"},
				{SessionID: "cs_1", Billing: &buyer},
				{SessionID: "cs_1", Billing: &buyer, BuyerEmail: "Ada@Example.com", BuyerIP: "192.0.2.1", IPCountry: "DE"},
				{SessionID: "cs_1", Billing: &buyer, BuyerIP: "192.0.2.256"},
				{SessionID: "cs_1", Billing: &buyer, SuccessURL: "ftp://example.com"},
			} {
				r.Caller = checkout.Caller{Environment: checkout.Test, StoreID: "STO_1", Identity: "user-17"}
				got, problems, err := m.Place(t.Context(), s, &r, instant)
				want, refused := checkout.Place(s, &r, instant)
				if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(problems, refused) {
					t.Errorf("%+v of %+v:\n%+v, %v, %v; core returns\n%+v, %v", r, s, got, problems, err, want, refused)
				}
			}
		}
	}
}

// TestRates checks that every instance has the operator's rates, including one that replaces another.
func TestRates(t *testing.T) {
	own, wrong := table.Parse("id\tjurisdiction\ttax\trate\nde\tDE\tvat\t18\n")
	if wrong != nil {
		t.Fatal(wrong)
	}
	m, err := New(t.Context(), Config{Instances: 1, Rates: &own})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	for range 2 {
		if _, version, err := m.Version(t.Context()); err != nil || version != own.DataVersion() {
			t.Errorf("the version is %q, not %q, %v", version, own.DataVersion(), err)
		}
		terms := checkout.Terms{
			Price: money.Amount{Minor: 10_000, Currency: "EUR"}, Category: tax.SaaS, Step: 1, Seller: tax.Seller{Country: "DE"},
		}
		quote, problems, err := m.Quote(t.Context(), QuoteInput{Terms: &terms, Buyer: billing.Input{Country: "DE", IsBusiness: &no}, On: 20_780})
		if err != nil || problems != nil || quote.Assessment.Tax != 1_800 || quote.DataVersion != own.DataVersion() {
			t.Errorf("%+v, %v, %v", quote, problems, err)
		}
		broken := <-m.instances
		broken.module.Memory().Write(0, bytes.Repeat([]byte{0xff}, int(broken.module.Memory().Size())))
		m.instances <- broken
		if _, err := m.Email(t.Context(), ""); err == nil {
			t.Error("a broken instance answers")
		}
	}
	rows := "id\tjurisdiction\ttax\trate\tpostcode\n"
	for i := range 1000 {
		rows += fmt.Sprintf("r%d\tUS-TX\tsales\t8.25\t%d\n", i, 73_000+i)
	}
	if own, wrong = table.Parse(rows); wrong != nil {
		t.Fatal(wrong)
	}
	if _, err := New(t.Context(), Config{Rates: &own}); err == nil {
		t.Errorf("%d bytes of rates are taken", len(own.Text()))
	}
}

// TestCacheDir checks that the second Module uses the module compiled by the first.
func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "compiled")
	for range 2 {
		m, err := New(t.Context(), Config{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Email(t.Context(), ""); err != nil {
			t.Error(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if files, err := filepath.Glob(dir + "/*/*"); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), Config{CacheDir: file}); err == nil {
		t.Error("a file is a folder")
	}
}

// TestCacheDamaged damages a file of the cache in several ways. Each time the module must be compiled again and the file
// restored.
func TestCacheDamaged(t *testing.T) {
	dir := t.TempDir()
	open := func(what string) {
		t.Helper()
		m, err := New(t.Context(), Config{CacheDir: dir})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer m.Close(t.Context())
		if got, err := m.Email(t.Context(), "A@example.com"); err != nil || got.Address != "a@example.com" {
			t.Fatalf("%s: %q, %v", what, got.Address, err)
		}
	}
	open("new")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		damages := map[string][]byte{"empty": {}, "cut short": good[:len(good)/2], "longer": append(slices.Clone(good), 0), "missing": nil}
		for _, at := range []int{0, 5, 13, 20, 28, 31, len(good) / 3, len(good) / 2, len(good) - 1} { // the header, the functions' places, their code
			flipped := slices.Clone(good)
			flipped[at] ^= 0x55
			damages[fmt.Sprint("flipped at ", at)] = flipped
		}
		for what, damaged := range damages {
			what = filepath.Ext(file) + " " + what
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if damaged == nil {
				os.Remove(file)
			}
			open(what)
			if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, good) {
				t.Errorf("%s: the file is not as it was: %v", what, err)
			}
		}
	}
}

// TestConcurrency runs more goroutines than instances; each must get the answer to its own input.
func TestConcurrency(t *testing.T) {
	m := newModule(t, 2)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				typed := fmt.Sprintf("Buyer-%d-%d@Example.com", i, j)
				if got, err := m.Email(t.Context(), typed); err != nil || got.Address != strings.ToLower(typed) {
					t.Errorf("%s: %q, %v", typed, got.Address, err)
				}
			}
		})
	}
	all.Wait()
}

// TestWaiting checks that a call waits for an instance until its context is done.
func TestWaiting(t *testing.T) {
	m := newModule(t, 1)
	taken := <-m.instances
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := m.Call(ctx, "email", []byte("{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with no instance left: %v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { m.instances <- taken })
	if _, err := m.Call(t.Context(), "email", []byte("{}")); err != nil {
		t.Errorf("with one that comes back: %v", err)
	}
}

// slowest is an input that takes milliseconds: each name sorts before the previous ones.
func slowest() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 9999; b.Len() < ops.MaxInput-len(`"1000":0,"email":""}`); i-- {
		fmt.Fprintf(&b, `"%d":0,`, i)
	}
	b.WriteString(`"email":""}`)
	return b.Bytes()
}

// TestFuel checks that a long input needs less than a tenth of the fuel, and what a call is said to have taken.
func TestFuel(t *testing.T) {
	m := newModule(t, 1)
	if _, used, err := m.Measure(t.Context(), "email", slowest()); err != nil || used.Fuel < 1_000_000 || used.Fuel > fuel/10 || used.Memory > memoryPages<<16 {
		t.Errorf("a long input: %+v, %v", used, err)
	}
	// alloc clears what the call before has used
	_, _, _ = m.Measure(t.Context(), "email", []byte(`{"email":"Ada@Example.com"}`))
	_, first, err := m.Measure(t.Context(), "email", []byte(`{"email":"Ada@Example.com"}`))
	_, again, err2 := m.Measure(t.Context(), "email", []byte(`{"email":"Ada@Example.com"}`))
	if err != nil || err2 != nil || first != again || first.Fuel < 100 || first.Fuel > 100_000 {
		t.Errorf("a short one: %+v, then %+v; %v, %v", first, again, err, err2)
	}
}

// TestTrap checks that an instance that fails is never used again. The test corrupts its memory.
func TestTrap(t *testing.T) {
	m := newModule(t, 1)
	if _, err := m.Email(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	broken := <-m.instances
	memory := broken.module.Memory()
	memory.Write(0, bytes.Repeat([]byte{0xff}, int(memory.Size())))
	m.instances <- broken
	if _, err := m.Email(t.Context(), "A@example.com"); err == nil {
		t.Error("a broken instance answers")
	}
	if got, err := m.Email(t.Context(), "A@example.com"); err != nil || got.Address != "a@example.com" {
		t.Errorf("after that: %q, %v", got.Address, err)
	}
}

// TestAllocTooMuch checks that alloc traps above its limit, as documented.
func TestAllocTooMuch(t *testing.T) {
	m := newModule(t, 1)
	in, err := m.instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.alloc.Call(t.Context(), ops.MaxInput+1); err != nil {
		t.Error(err)
	}
	if _, err := in.alloc.Call(t.Context(), ops.MaxInput+2); err == nil {
		t.Error("alloc gives more than an operation reads")
	}
}

func TestUnknownOperation(t *testing.T) {
	m := newModule(t, 1)
	for _, operation := range []string{"", "alloc", "_initialize", "Email"} {
		if answer, err := m.Call(t.Context(), operation, []byte("{}")); err == nil {
			t.Errorf("%q: %s", operation, answer)
		}
	}
}

func TestClose(t *testing.T) {
	m := newModule(t, 2)
	if _, err := m.Email(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each of the instances, made or not
		if _, err := m.Email(t.Context(), ""); err == nil {
			t.Error("it answers after Close")
		}
	}
}
