package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/vatid"
)

const taxIDUsage = `crepe taxid check checks the syntax and the check digits of a tax id, offline. It does not query a register.

Usage:
  crepe taxid check --country CC NUMBER
  crepe taxid check --batch FILE

Examples:
  crepe taxid check --country IT 00743110157
      Prints "valid" and the number as it is stored. If the number is not valid it says why, and exits with 1.
  crepe taxid check --batch customers.tsv > checked.jsonl
      The columns of customers.tsv are country and taxId. A number that is not valid is a failed row.

` + batchHelp + `
Settings:
`

// taxIDVerdict is the result of one check.
type taxIDVerdict struct {
	Country    string `json:"country"`
	TaxID      string `json:"taxId"` // as typed
	Valid      bool   `json:"valid"`
	Normalized string `json:"normalized,omitempty"`
	Reason     string `json:"reason,omitempty"`  // unsupported, format, check-digit; of a batch also row
	Problem    string `json:"problem,omitempty"` // why a row of a batch cannot be read
}

// taxIDAnswer is the verdict on a row of a batch.
type taxIDAnswer struct {
	*batchRow
	taxIDVerdict
}

func answerTaxID(row *batchRow) (any, bool) {
	if row.fault != nil {
		return taxIDAnswer{row, taxIDVerdict{Country: row.cells["country"], TaxID: row.cells["taxId"], Reason: "row", Problem: row.fault.Message}}, false
	}
	v := checkTaxID(row.cells["country"], row.cells["taxId"])
	return taxIDAnswer{row, v}, v.Valid
}

func checkTaxID(country, typed string) taxIDVerdict {
	country = strings.ToUpper(strings.TrimSpace(country))
	v := taxIDVerdict{Country: country, TaxID: typed}
	number, fault := vatid.Parse(country, typed)
	if fault == vatid.None {
		v.Valid, v.Normalized = true, string(number)
	} else {
		v.Reason = fault.String()
	}
	return v
}

func taxID(ctx context.Context, args []string, stdout, stderr io.Writer, _ *slog.Logger) error {
	f := newFlags("taxid check", taxIDUsage)
	country := f.String("country", "", "ISO 3166-1 code of the country that issued the number")
	file := f.String("batch", "", "`file` of numbers; - for the standard input")
	asJSON := f.Bool("json", false, "print JSON for a single number too")
	if len(args) > 0 && args[0] == "check" {
		args = args[1:]
	} else if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return misuse(f, "there is one command: check")
	}
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if *file != "" {
		columns := []string{"country", "taxId"}
		b := batch{*file, columns, columns, stdout, progressOn(stdout, stderr)}
		return b.run(ctx, answerTaxID)
	}
	if f.NArg() != 1 || *country == "" {
		return misuse(f, "--country and one number are needed")
	}
	v := checkTaxID(*country, f.Arg(0))
	switch {
	case *asJSON:
		if err := json.NewEncoder(stdout).Encode(v); err != nil {
			return err
		}
	case v.Valid:
		fmt.Fprintln(stdout, "valid", v.Normalized)
	}
	if !v.Valid {
		return fmt.Errorf("not valid for %s: %s", v.Country, taxIDReasons[v.Reason])
	}
	return nil
}

var taxIDReasons = map[string]string{
	vatid.Unsupported.String(): "no rule is known for this country (unsupported)",
	vatid.Format.String():      "wrong length or characters (format)",
	vatid.CheckDigit.String():  "the check digits do not match: a digit is mistyped (check-digit)",
}
