package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const reportUsage = `crepe report sums up receipts and credit notes.

Usage:
  crepe report tax --from DAY --to DAY [--env ENV] [--store-id STO_ID] [--data DIR] [--csv | --json]
`

const reportTaxUsage = `crepe report tax prints sales and refunds by jurisdiction, tax, rate, reason and currency, for a tax return.

Examples:
  crepe report tax --from 2026-01-01 --to 2026-03-31
  crepe report tax --from 2026-01-01 --to 2026-03-31 --store-id STO_5Yk2 --csv > taxes.csv

The days are those of the payments and refunds, UTC, both inclusive. A line with the reason reverse-charge is taxed at the buyer;
those within the European Union are listed again by customer, for an EC sales list, with the consultation numbers of VIES
(crepe serve --vies). The lines "total" count each sale once: where
a sale has two taxes, the net is in both of their lines. The last columns have the tax in the currency of the seller's country, at the
rates of the receipts (crepe serve --exchange-rates); they are empty for receipts without one, which have a line of their own. The
store's seller files them, crepe does not.

Settings:
`

var reportCommands = map[string]commandFunc{"tax": reportTax}

func reportTax(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("report tax", reportTaxUsage, stdout, log)
	from := o.flags.String("from", "", "the first `day`, 2026-01-01")
	to := o.flags.String("to", "", "the last `day`, 2026-03-31")
	env := o.flags.String("env", "prod", "`environment`, test or prod")
	store := o.flags.String("store-id", "", "`id` of the store; default: all stores")
	asCSV := o.flags.Bool("csv", false, "print CSV, for a spreadsheet")
	if err := o.parseFlags(args); err != nil {
		return err
	}
	switch {
	case *from == "" || *to == "":
		return misuse(o.flags, "--from and --to are needed")
	case *asCSV && *o.json:
		return misuse(o.flags, "--csv and --json exclude each other")
	}
	return o.open(func(c *admin.Client) error {
		report, err := admin.Perform[admin.TaxReport](c, admin.ReportTax, admin.TaxReportRequest{Environment: *env, StoreID: *store, From: *from, To: *to})
		if err == nil && *asCSV {
			return writeReport(stdout, &report)
		}
		return o.print(report, err, func() {
			if len(report.Totals) == 0 {
				fmt.Fprintf(stdout, "Nothing was sold or refunded in %s from %s to %s.\n", report.Environment, report.From, report.To)
				return
			}
			o.printTable("LINE CUR WHERE TAX RATE REASON SALES NET TAX REFUNDS NET TAX NET TAX OWN TAX CONSULTATIONS", reportRows(&report))
		})
	})
}

var reportHeader = []string{"line", "currency", "jurisdiction", "tax", "rate_percent", "reason", "sales", "sales_net", "sales_tax", "refunds", "refunds_net",
	"refunds_tax", "net", "tax_amount", "seller_currency", "seller_tax_amount", "consultations"}

// writeReport writes the report as CSV (RFC 4180). In a line "ec-sales" the jurisdiction is the customer's VAT number, and
// consultations has VIES's numbers for the sales, separated by spaces.
func writeReport(w io.Writer, r *admin.TaxReport) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(append([][]string{reportHeader}, reportRows(r)...)); err != nil {
		return err
	}
	return out.Error()
}

func reportRows(r *admin.TaxReport) (rows [][]string) {
	for i := range r.Taxes {
		t := &r.Taxes[i]
		rows = append(rows, append([]string{"tax", t.Currency, t.Jurisdiction, t.Tax, t.RatePercent, t.Reason}, append(sumCells(&t.TaxTotal), t.SellerCurrency, t.SellerTax, "")...))
	}
	for i := range r.Totals {
		rows = append(rows, append([]string{"total", r.Totals[i].Currency, "", "", "", ""}, append(sumCells(&r.Totals[i]), "", "", "")...))
	}
	for _, s := range r.ECSales {
		rows = append(rows, []string{"ec-sales", s.Currency, s.Customer, "", "", "reverse-charge", "", "", "", "", "", "", s.Net, "", "", "", strings.Join(s.Consultations, " ")})
	}
	return rows
}

func sumCells(t *admin.TaxTotal) []string {
	return []string{strconv.Itoa(t.Sales), t.SalesNet, t.SalesTax, strconv.Itoa(t.Refunds), t.RefundsNet, t.RefundsTax, t.Net, t.Tax}
}
