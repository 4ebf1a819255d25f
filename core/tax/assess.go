package tax

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

// Largest price and step, in minor units, for which every amount is exact.
const (
	maxPrice = 1e18
	maxStep  = 1e9
)

var (
	unknownCategory = problem.New(problem.Invalid, "tax-category-unknown", "", "Unknown tax category")
	badStep         = problem.New(problem.Invalid, "tax-step-invalid", "", "The smallest chargeable amount must be at least one minor unit")
	badPrice        = problem.New(problem.Invalid, "tax-price-invalid", "", "The price must not be negative")
	tooEarly        = problem.New(problem.Invalid, "tax-date-unknown", "", "No tax rules are known before 2024-01-01")
)

// Assess computes the tax on a sale; Seller and Buyer must be there. It refuses only what no table could answer: an
// unknown category, a step or a price out of range, a day before 2024-01-01. A country without rules is no refusal, its
// sale is [Unsupported] and untaxed.
func Assess(s *Sale) (Assessment, *problem.Problem) {
	if p := s.check(); p != nil {
		return Assessment{}, p
	}
	var in inquiry
	in.begin(s)
	a := Assessment{Precision: "none", Evidence: s.evidence(in.buyer)}
	at, taxed := a.locate(&in)
	if taxed {
		a.levy(&in, at)
	}
	if in.count > 0 {
		a.Precision, a.Confidence, a.Rules = in.precision(at), in.weakest(), in.ids(in.own)
	}
	a.charge(s)
	return a, nil
}

func (s *Sale) check() *problem.Problem {
	switch {
	case !s.Category.valid():
		return unknownCategory
	case s.Step < 1 || s.Step > maxStep:
		return badStep
	case s.Price.Minor < 0 || s.Price.Minor > maxPrice:
		return badPrice
	case s.On < firstDay:
		return tooEarly
	}
	return nil
}

// inquiry is a sale as the rules see it, and the rows that have decided about it so far, in the order in which they were
// asked: one of supply, then one for each tax.
type inquiry struct {
	question
	rows        rulings
	count       int
	seller      *Seller
	home, buyer place
}

func (in *inquiry) begin(s *Sale) {
	in.seller = s.Seller
	in.home = placeOf(s.Seller.Country, "", "")
	in.buyer = placeOf(s.Buyer.Country, s.Buyer.State, s.Buyer.Postcode)
	in.category, in.on, in.postcode, in.own = s.Category, s.On, s.Buyer.Postcode, s.Overrides
	in.kind = kindOf(s.Buyer, in.buyer.country != in.home.country)
}

// kindOf tells a buyer who can owe the tax in the seller's stead from one who cannot. A number of Northern Ireland is
// for goods only (Directive 2006/112/EC, Art. 215; protocol of 2020, Art. 8), and everything sold here is a service.
func kindOf(b *billing.Detail, abroad bool) buyers {
	switch {
	case !b.IsBusiness:
		return consumer
	case abroad && b.TaxIDChecked && !strings.HasPrefix(b.TaxID, "XI"):
		return registered
	}
	return business
}

// evidence: the IP address's country alone never decides, it can only agree or not.
func (s *Sale) evidence(buyer place) Evidence {
	if s.IPCountry == "" {
		return None
	}
	ip := placeOf(s.IPCountry, "", "")
	if s.IPCountry == s.Buyer.Country || ip == buyer || ip.part == "" && ip.country == buyer.country {
		return Agree
	}
	return Conflict
}

// locate asks the buyer's area where the supply is taxed, and says no when the seller has no tax to charge there. An area
// without a rule about it taxes where the buyer is.
func (a *Assessment) locate(in *inquiry) (at place, taxed bool) {
	var found rulings
	found.find(in.buyer.area(), &in.question)
	r := found[supply]
	if r == "" {
		return in.buyer, true
	}
	in.add(r)
	switch {
	case r.treatment() == int(ReverseCharge):
		a.Reason = ReverseCharge
		return in.buyer, false
	case r.treatment() == atSeller && in.home.area() != in.buyer.area():
		a.Reason = OutOfScope
		return in.buyer, false
	case r.treatment() == atSeller:
		in.postcode = ""
		return in.home, true
	}
	return in.buyer, true
}

// levy takes up every tax of a place that the seller collects. What is taxed gives the reason before what is not.
func (a *Assessment) levy(in *inquiry, at place) {
	owed := false
	var found rulings
	found.find(at, &in.question)
	for _, r := range found[supply+1:] {
		if r == "" {
			continue
		}
		in.add(r)
		if a.Reason == Unsupported {
			a.Reason = Reason(r.treatment())
		}
		if r.rate() == 0 {
			continue
		}
		owed = true
		if in.seller.collects(r.authority(), in.home, in.on) {
			a.add(r)
		}
	}
	if owed && a.Components == nil {
		a.Reason = NotCollecting
	}
}

// add makes a row's tax a component, its amounts still open.
func (a *Assessment) add(r rule) {
	if a.Components == nil {
		a.Components = make([]Component, 0, usualTaxes)
		a.Reason = Reason(r.treatment())
	}
	a.Components = append(a.Components, Component{
		Jurisdiction: r.jurisdiction(), Tax: taxes[r.tax()].code, Rate: r.rate(), Base: r.base(),
	})
}

// collects reports whether the seller may charge an authority's taxes on a day. Where it is established it needs no
// registration named: whoever sells there is registered at home.
func (s *Seller) collects(authority string, home place, on Date) bool {
	if s.Everywhere || home.is(authority) {
		return true
	}
	for i := range s.Registrations {
		if r := &s.Registrations[i]; r.From <= on && r.covers(authority) {
			return true
		}
	}
	return false
}

// covers: a registration in the Union's one-stop shop is for the national tax of every member state (Directive
// 2006/112/EC, Title XII, Chapter 6).
func (r *Registration) covers(authority string) bool {
	return r.Jurisdiction == authority || r.Jurisdiction == "EU" && place{country: authority}.area().country == "EU"
}

// Rate is the sum of the components' effective rates.
func (a *Assessment) Rate() (sum money.Rate) {
	for i := range a.Components {
		sum += a.Components[i].Effective()
	}
	return sum
}

// Name is what an invoice calls the tax: "VAT", "GST + QST", "Sales tax"; empty where none is charged.
func (a *Assessment) Name() (name string) {
	for i := range a.Components {
		if i > 0 {
			name += " + "
		}
		name += a.Components[i].Name()
	}
	return name
}

func (in *inquiry) add(r rule) {
	in.rows[in.count] = r
	in.count++
}

func (in *inquiry) weakest() (confidence byte) {
	for _, r := range in.rows[:in.count] {
		confidence = max(confidence, r.confidence())
	}
	return confidence
}

// precision says how much of an address was decisive.
func (in *inquiry) precision(at place) string {
	for _, r := range in.rows[:in.count] {
		if r.own() && r.postcode() != "" {
			return "local"
		}
	}
	if at.part != "" {
		return "state"
	}
	return "country"
}

// ids cuts all of them from one text, so that they cost two allocations.
func (in *inquiry) ids(own *Table) []string {
	var buffer [64]byte
	text := buffer[:0]
	var ends [len(in.rows)]int
	for i, r := range in.rows[:in.count] {
		if r.own() {
			text = append(text, own.id(r)...)
		} else {
			text = r.appendID(text)
		}
		ends[i] = len(text)
	}
	all, begin := string(text), 0
	ids := make([]string, in.count)
	for i := range ids {
		ids[i] = all[begin:ends[i]]
		begin = ends[i]
	}
	return ids
}
