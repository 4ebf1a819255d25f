package admin

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
)

// TaxReportRequest asks for the report of a period. StoreID is "" for all stores.
type TaxReportRequest struct {
	Environment string `json:"environment"` // test or prod
	StoreID     string `json:"storeId,omitempty"`
	From        string `json:"from"` // the first day, "2026-01-31"
	To          string `json:"to"`   // the last day
}

// TaxReport is the report of a period, see [invoices.Report]. Amounts are decimals in their currency.
type TaxReport struct {
	Environment string     `json:"environment"`
	From        string     `json:"from"`
	To          string     `json:"to"`
	Taxes       []TaxLine  `json:"taxes"`
	Totals      []TaxTotal `json:"totals"`
	ECSales     []ECSale   `json:"ecSales"`
}

// TaxLine is a line of the report.
type TaxLine struct {
	Jurisdiction string `json:"jurisdiction"`
	Tax          string `json:"tax"`
	RatePercent  string `json:"ratePercent"`
	Reason       string `json:"reason"`
	TaxTotal

	// The tax in the currency of the seller's country; "" where it is not known.
	SellerCurrency string `json:"sellerCurrency"`
	SellerTax      string `json:"sellerTaxAmount"`
}

// TaxTotal has the sums of a line or currency. Net and tax are those of the sales less those of the refunds.
type TaxTotal struct {
	Currency   string `json:"currency"`
	Sales      int    `json:"sales"`
	SalesNet   string `json:"salesNet"`
	SalesTax   string `json:"salesTax"`
	Refunds    int    `json:"refunds"`
	RefundsNet string `json:"refundsNet"`
	RefundsTax string `json:"refundsTax"`
	Net        string `json:"net"`
	Tax        string `json:"taxAmount"`
}

// ECSale is a line of an EC sales list.
type ECSale struct {
	Customer string `json:"customer"`
	Currency string `json:"currency"`
	Net      string `json:"net"`
	// Consultations are the numbers with which the seller proves that VIES has confirmed the customer's.
	Consultations []string `json:"consultations,omitempty"`
}

func (a *Admin) taxReport(ctx context.Context, in TaxReportRequest) (TaxReport, error) {
	envs, err := parseEnvironments(in.Environment)
	from, isDay := civil.ParseDate(in.From)
	to, isDayToo := civil.ParseDate(in.To)
	switch {
	case err != nil:
		return TaxReport{}, err
	case len(envs) != 1:
		return TaxReport{}, refusef(problem.Invalid, "a report is about one environment: expected test or prod")
	case !isDay || !isDayToo || from > to:
		return TaxReport{}, refusef(problem.Invalid, "%q to %q is no period: expected two days such as 2026-01-31, the earlier one first", in.From, in.To)
	}
	stores, err := a.reportStores(ctx, in.StoreID)
	if err != nil {
		return TaxReport{}, err
	}
	report, err := a.config.Invoices.Report(ctx, invoices.ReportQuery{Environment: envs[0], Stores: stores, From: from, To: to})
	if err != nil {
		return TaxReport{}, err
	}
	return showReport(&in, report), nil
}

// reportStores returns the ids of all stores, deleted ones too, or of one.
func (a *Admin) reportStores(ctx context.Context, id string) (ids []string, err error) {
	if id != "" {
		s, err := a.config.Accounts.Records.Store(ctx, id)
		if errors.Is(err, catalog.ErrNotFound) {
			return nil, refusef(problem.NotFound, "there is no store %q; crepe store list has them", id)
		}
		if err != nil {
			return nil, err
		}
		return []string{s.ID}, nil
	}
	for after := ""; ; {
		merchants, err := a.config.Accounts.Records.Merchants(ctx, after, pageSize)
		if err != nil || len(merchants) == 0 {
			return ids, err
		}
		for _, m := range merchants {
			after = m.ID
			for skip := 0; ; skip += pageSize {
				stores, err := a.config.Lists.Stores(ctx, m.ID, skip, pageSize)
				if err != nil {
					return nil, err
				}
				for _, s := range stores {
					ids = append(ids, s.ID)
				}
				if len(stores) < pageSize {
					break
				}
			}
		}
	}
}

func showReport(in *TaxReportRequest, r *invoices.Report) TaxReport {
	shown := TaxReport{Environment: in.Environment, From: in.From, To: in.To, Taxes: []TaxLine{}, Totals: []TaxTotal{}, ECSales: []ECSale{}}
	for i := range r.Taxes {
		t := &r.Taxes[i]
		line := TaxLine{t.Jurisdiction, t.Tax, t.Rate.Percent(), t.Reason.String(), showSums(t.Currency, &t.Sales, &t.Refunds), string(t.Own), ""}
		if t.Own != "" {
			line.SellerTax = signed(t.OwnTax, t.Own)
		}
		shown.Taxes = append(shown.Taxes, line)
	}
	for i := range r.Totals {
		t := &r.Totals[i]
		shown.Totals = append(shown.Totals, showSums(t.Currency, &t.Sales, &t.Refunds))
	}
	for i := range r.ECSales {
		t := &r.ECSales[i]
		shown.ECSales = append(shown.ECSales, ECSale{t.Customer, string(t.Currency), signed(t.Sales.Net-t.Refunds.Net, t.Currency), t.Consultations})
	}
	return shown
}

func showSums(c money.Currency, sales, refunds *invoices.Sum) TaxTotal {
	return TaxTotal{string(c), sales.Count, signed(sales.Net, c), signed(sales.Tax, c), refunds.Count, signed(refunds.Net, c), signed(refunds.Tax, c),
		signed(sales.Net-refunds.Net, c), signed(sales.Tax-refunds.Tax, c)}
}

// signed writes an amount that may be negative.
func signed(minor int64, c money.Currency) string {
	if minor < 0 {
		return "-" + money.Amount{Minor: -minor, Currency: c}.String()
	}
	return money.Amount{Minor: minor, Currency: c}.String()
}
