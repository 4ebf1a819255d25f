package invoices

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// ReportQuery says what a [Report] is about.
type ReportQuery struct {
	Environment checkout.Environment
	Stores      []string   // ids
	From, To    civil.Date // days of payment or refund, UTC, both inclusive
}

// Report sums up documents by the days of their payments and refunds. Amounts are minor units. A credit note counts in Refunds and
// is subtracted from the net.
type Report struct {
	Taxes   []TaxSum   // by jurisdiction, tax, rate, reason, currency and the seller's currency
	Totals  []TotalSum // by currency; a sale with two taxes counts once
	ECSales []ECSale   // reverse charges within the European Union, by customer and currency
}

// TaxKey is what a line of the report sums up.
type TaxKey struct {
	Jurisdiction string // "DE", "US-TX"; where no tax is charged that of the buyer
	Tax          string // "vat"; "" where no tax is charged
	Rate         money.Rate
	Reason       tax.Reason
	Currency     money.Currency
	Own          money.Currency // of the seller's country; "" for documents whose tax is not known in it
}

// TaxSum is a line of the report. The buyer owes the tax of a line with the reason [tax.ReverseCharge].
type TaxSum struct {
	TaxKey
	Sales, Refunds Sum
	OwnTax         int64 // of the sales less the refunds, minor units of Own
}

// TotalSum is the sum of all documents in a currency.
type TotalSum struct {
	Currency       money.Currency
	Sales, Refunds Sum
}

// ECSale is a line of an EC sales list: services to one customer (Directive 2006/112/EC, Art. 262).
type ECSale struct {
	Customer       string // VAT number with its prefix
	Currency       money.Currency
	Sales, Refunds Sum
	Consultations  []string // the consultation numbers of VIES about the sales, in the order of their receipts
}

// Sum sums documents.
type Sum struct {
	Count    int
	Net, Tax int64
}

func (s *Sum) add(net, tax int64) {
	s.Count++
	s.Net += net
	s.Tax += tax
}

// Report reads the documents of a query and sums them up.
func (s *Service) Report(ctx context.Context, q ReportQuery) (*Report, error) {
	sums := newSums()
	for _, storeID := range q.Stores {
		for year := yearOf(q.From); year <= yearOf(q.To)+1; year++ { // a payment on the last evening may have a receipt of the next year
			for _, kind := range []Kind{Receipt, CreditNote} {
				if err := s.read(ctx, Series{q.Environment, storeID, kind, year}, &q, sums); err != nil {
					return nil, err
				}
			}
		}
	}
	return sums.report(), nil
}

// reportPage is how many documents are read at once.
const reportPage = 500

func (s *Service) read(ctx context.Context, series Series, q *ReportQuery, sums *sums) error {
	for after := ""; ; {
		page, err := s.config.Store.Documents(ctx, series, after, reportPage)
		if err != nil {
			return err
		}
		for i := range page.Items {
			d := &page.Items[i]
			if on := civil.DateOf(d.SuppliedAt); q.From <= on && on <= q.To {
				if err := s.addTo(ctx, sums, d); err != nil {
					return err
				}
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// addTo adds a document to the sums, and the consultation number of its order to the line of the EC sales list.
func (s *Service) addTo(ctx context.Context, sums *sums, d *Document) error {
	line := sums.add(d)
	if line == nil || d.Series.Kind != Receipt {
		return nil
	}
	c, err := s.consultation(ctx, d)
	if c != nil && c.Consultation != "" && !slices.Contains(line.Consultations, c.Consultation) {
		line.Consultations = append(line.Consultations, c.Consultation)
	}
	return err
}

func yearOf(d civil.Date) int {
	n := 0
	for _, digit := range d.String()[:4] {
		n = n*10 + int(digit-'0')
	}
	return n
}

// sums is a report in the making.
type sums struct {
	taxes  map[TaxKey]*TaxSum
	totals map[money.Currency]*TotalSum
	ec     map[ecKey]*ECSale
}

type ecKey struct {
	customer string
	currency money.Currency
}

func newSums() *sums {
	return &sums{map[TaxKey]*TaxSum{}, map[money.Currency]*TotalSum{}, map[ecKey]*ECSale{}}
}

// of returns the entry of a key, a new one if there is none.
func of[K comparable, V any](m map[K]*V, key K) *V {
	if m[key] == nil {
		m[key] = new(V)
	}
	return m[key]
}

// add adds a document. It returns the line of the EC sales list that the document is in; nil if it is in none.
func (s *sums) add(d *Document) *ECSale {
	total := of(s.totals, d.Currency)
	total.Currency = d.Currency
	side(d, &total.Sales, &total.Refunds).add(d.Subtotal, d.Tax)
	own, amounts := d.ownTaxes()
	for i := range d.Components {
		c := &d.Components[i]
		s.addTax(d, TaxKey{c.Jurisdiction, c.Tax, c.Rate, d.Reason, d.Currency, own}, c.Taxable, c.Amount, amounts[i])
	}
	if len(d.Components) == 0 {
		s.addTax(d, TaxKey{d.Buyer.jurisdiction(), "", 0, d.Reason, d.Currency, own}, d.Subtotal, 0, 0)
	}
	if d.Reason == tax.ReverseCharge && d.Seller.Country.InEU() && (d.Buyer.Country.InEU() || d.Buyer.Country == "MC") { // Directive 2006/112/EC, Art. 7
		line := of(s.ec, ecKey{d.Buyer.TaxID, d.Currency})
		line.Customer, line.Currency = d.Buyer.TaxID, d.Currency
		side(d, &line.Sales, &line.Refunds).add(d.Subtotal, 0)
		return line
	}
	return nil
}

func (s *sums) addTax(d *Document, key TaxKey, net, amount, own int64) {
	line := of(s.taxes, key)
	line.TaxKey = key
	side(d, &line.Sales, &line.Refunds).add(net, amount)
	if d.Series.Kind == CreditNote {
		own = -own
	}
	line.OwnTax += own
}

// ownTaxes returns the amounts of the components in the currency of the seller's country, zeros with "" where they are not known.
func (d *Document) ownTaxes() (money.Currency, []int64) {
	amounts := make([]int64, len(d.Components))
	own := sessions.CurrencyOf(d.Seller.Country)
	switch {
	case d.Exchange != nil:
		return d.Exchange.Currency, d.Exchange.Amounts
	case len(d.Components) == 0:
		return own, amounts
	case own != d.Currency:
		return "", amounts
	}
	for i := range d.Components {
		amounts[i] = d.Components[i].Amount
	}
	return own, amounts
}

// side chooses the sum that a document counts in.
func side(d *Document, sales, refunds *Sum) *Sum {
	if d.Series.Kind == CreditNote {
		return refunds
	}
	return sales
}

// jurisdiction is the state of a buyer in a country that taxes by state, else the country.
func (p *Party) jurisdiction() string {
	if p.State != "" && p.Country.NeedsState() {
		return string(p.Country) + "-" + p.State
	}
	return string(p.Country)
}

func (s *sums) report() *Report {
	r := &Report{}
	for _, line := range s.taxes {
		r.Taxes = append(r.Taxes, *line)
	}
	slices.SortFunc(r.Taxes, func(a, b TaxSum) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.Tax, b.Tax),
			cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Own, b.Own))
	})
	for _, currency := range slices.Sorted(maps.Keys(s.totals)) {
		r.Totals = append(r.Totals, *s.totals[currency])
	}
	for _, line := range s.ec {
		r.ECSales = append(r.ECSales, *line)
	}
	slices.SortFunc(r.ECSales, func(a, b ECSale) int {
		return cmp.Or(cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Currency, b.Currency))
	})
	return r
}
