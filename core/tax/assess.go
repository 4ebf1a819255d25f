package tax

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
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

// Assess computes the tax on a sale. Seller and Buyer must not be nil. It refuses an unknown category, a step or price out
// of range, and a day before 2024-01-01. A sale in a country without rules is [Unsupported] and untaxed.
func Assess(s *Sale) (Assessment, *problem.Problem) {
	if p := s.check(); p != nil {
		return Assessment{}, p
	}
	var q query
	q.begin(s)
	a := Assessment{Precision: "none", Evidence: s.evidence(q.buyerIn)}
	at, taxed := a.locate(&q)
	if taxed {
		a.levy(&q, at)
	}
	if q.count > 0 {
		a.Precision, a.Confidence, a.Rules = q.precision(at), q.weakest, q.ids()
	}
	a.charge(s)
	return a, nil
}

func (s *Sale) check() *problem.Problem {
	switch {
	case !s.Category.Valid():
		return unknownCategory
	case s.Step < 1 || s.Step > maxStep:
		return badStep
	case s.Price.Minor < 0 || s.Price.Minor > maxPrice:
		return badPrice
	case s.On < table.FirstDay:
		return tooEarly
	}
	return nil
}

// query is a sale in the terms of the table, and the rows that have decided about it so far, in the order in which they were
// found: one about the place of supply, then one for each tax.
type query struct {
	table.Query
	overrides         *table.Table
	rows              table.Matches
	count             int
	weakest           byte // confidence of these rows
	local             bool // one of these rows is by postcode
	seller            *Seller
	sellerIn, buyerIn table.Territory
}

func (q *query) begin(s *Sale) {
	q.seller, q.overrides = s.Seller, s.Overrides
	q.sellerIn = table.TerritoryOf(s.Seller.Country, "", "")
	q.Category, q.On, q.Postcode = s.Category, s.On, s.Buyer.Country.BarePostcode(s.Buyer.Postcode)
	q.buyerIn = table.TerritoryOf(s.Buyer.Country, s.Buyer.State, q.Postcode)
	q.Buyer = kindOf(s.Buyer, q.buyerIn.Country != q.sellerIn.Country)
}

// kindOf tells a buyer who can owe the tax instead of the seller from one who cannot.
func kindOf(b *billing.Detail, abroad bool) table.Buyers {
	switch {
	case !b.IsBusiness:
		return table.Consumer
	case abroad && b.TaxIDChecked:
		return table.Registered
	}
	return table.Business
}

// evidence compares the country of the IP address with the buyer's territory. It never decides about the tax.
func (s *Sale) evidence(buyer table.Territory) Evidence {
	if s.IPCountry == "" {
		return None
	}
	ip := table.TerritoryOf(s.IPCountry, "", "")
	if s.IPCountry == s.Buyer.Country || ip == buyer || ip.Part == "" && ip.Country == buyer.Country {
		return Agree
	}
	return Conflict
}

// locate finds the territory in which the supply is taxed, by the rule of the buyer's area, and whether the seller can have
// tax to charge there. Without such a rule it is taxed where the buyer is.
func (a *Assessment) locate(q *query) (at table.Territory, taxed bool) {
	var found table.Matches
	q.overrides.Find(&found, q.buyerIn.Area(), &q.Query)
	r := found[table.Supply]
	if r == "" {
		return q.buyerIn, true
	}
	q.add(r)
	switch {
	case r.Treatment() == table.ReverseCharge:
		a.Reason = ReverseCharge
		return q.buyerIn, false
	case r.Treatment() == table.AtSeller && q.sellerIn.Area() != q.buyerIn.Area():
		a.Reason = OutOfScope
		return q.buyerIn, false
	case r.Treatment() == table.AtSeller:
		q.Postcode = ""
		return q.sellerIn, true
	}
	return q.buyerIn, true
}

// levy adds a component for every tax that the seller collects in the territory. A charged tax sets Reason; otherwise the
// first rule does.
func (a *Assessment) levy(q *query, at table.Territory) {
	owed := false
	var found table.Matches
	q.overrides.Find(&found, at, &q.Query)
	for _, r := range found[table.Supply+1:] {
		if r == "" {
			continue
		}
		q.add(r)
		if a.Reason == Unsupported {
			a.Reason = Reason(r.Treatment())
		}
		if r.Rate() == 0 {
			continue
		}
		owed = true
		if q.seller.collects(r, q.sellerIn, q.On) {
			a.add(r)
		}
	}
	if owed && a.Components == nil {
		a.Reason = NotCollecting
	}
}

// add adds a row's tax as a component, without its amounts.
func (a *Assessment) add(r table.Row) {
	if a.Components == nil {
		a.Components = make([]Component, 0, usualTaxes)
		a.Reason = Reason(r.Treatment())
	}
	a.Components = append(a.Components, Component{
		Jurisdiction: r.Jurisdiction(), Tax: r.Tax(), Rate: r.Rate(), Base: r.Base(),
	})
}

// collects reports whether the seller may charge a row's tax on a day. Where it is established it needs no registration.
func (s *Seller) collects(r table.Row, home table.Territory, on civil.Date) bool {
	authority := r.Authority()
	if s.Everywhere || home.Country == authority || home.Is(authority) {
		return true
	}
	for i := range s.Registrations {
		if g := &s.Registrations[i]; g.From <= on && (g.Jurisdiction == authority || g.Jurisdiction == "EU" && r.OneStop()) {
			return true
		}
	}
	return false
}

// Rate returns the sum of the components' effective rates.
func (a *Assessment) Rate() (sum money.Rate) {
	for i := range a.Components {
		sum += a.Components[i].Effective()
	}
	return sum
}

// Name returns the name of the tax on an invoice: "VAT", "GST + QST", "Sales tax". It is empty if no tax is charged.
func (a *Assessment) Name() (name string) {
	for i := range a.Components {
		if i > 0 {
			name += " + "
		}
		name += a.Components[i].Name()
	}
	return name
}

// add records a row that has decided.
func (q *query) add(r table.Row) {
	q.rows[q.count] = r
	q.count++
	q.weakest = max(q.weakest, r.Confidence())
	q.local = q.local || r.ByPostcode()
}

// precision says which part of the address was decisive.
func (q *query) precision(at table.Territory) string {
	switch {
	case q.local:
		return "local"
	case at.Part != "":
		return "state"
	}
	return "country"
}

// ids returns substrings of one string, so that all ids cost two allocations.
func (q *query) ids() []string {
	var buffer [64]byte
	text := buffer[:0]
	var ends [len(q.rows)]int
	for i, r := range q.rows[:q.count] {
		text = q.overrides.AppendID(text, r)
		ends[i] = len(text)
	}
	all, begin := string(text), 0
	ids := make([]string, q.count)
	for i := range ids {
		ids[i] = all[begin:ends[i]]
		begin = ends[i]
	}
	return ids
}
