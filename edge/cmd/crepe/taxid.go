package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/vatid"
)

const taxIDUsage = `crepe taxid check checks the syntax and the check digits of a tax id, offline. It does not query a register.

Usage:
  crepe taxid check --country IT 00743110157
  crepe taxid check --batch FILE.tsv

The columns of FILE.tsv are named in its first line: country, taxId. "-" is the standard input. A batch prints one JSON
object for each row; a single check prints "valid" or why not, and exits with 1 if the number is not valid.

`

// taxIDVerdict is the result of one check.
type taxIDVerdict struct {
	Country    string `json:"country"`
	TaxID      string `json:"taxId"` // as typed
	Valid      bool   `json:"valid"`
	Normalized string `json:"normalized,omitempty"`
	Reason     string `json:"reason,omitempty"` // unsupported, format, check-digit
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

func taxID(args []string, stdout io.Writer) error {
	f := newFlags("taxid check", taxIDUsage)
	country := f.String("country", "", "ISO 3166-1 code of the country that issued the number")
	batch := f.String("batch", "", "file of numbers, tab-separated; - for the standard input")
	asJSON := f.Bool("json", false, "print JSON for a single number too")
	if len(args) > 0 && args[0] == "check" {
		args = args[1:]
	} else if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return misuse(f, "there is one command: check")
	}
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if *batch != "" {
		return eachRow(*batch, []string{"country", "taxId"}, func(row map[string]string) error {
			return json.NewEncoder(stdout).Encode(checkTaxID(row["country"], row["taxId"]))
		})
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

// eachRow reads a tab-separated file whose first line names the columns, and calls visit for each row. A missing column of wanted
// is an error; other columns are allowed.
func eachRow(name string, wanted []string, visit func(row map[string]string) error) error {
	in := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return errors.Join(fmt.Errorf("%s is empty: its first line must name the columns %s", name, strings.Join(wanted, ", ")), lines.Err())
	}
	columns := strings.Split(strings.TrimRight(lines.Text(), "\r"), "\t")
	for _, column := range wanted {
		if !slices.Contains(columns, column) {
			return fmt.Errorf("%s:1: no column %q; it has %s", name, column, strings.Join(columns, ", "))
		}
	}
	for number := 2; lines.Scan(); number++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) > len(columns) {
			return fmt.Errorf("%s:%d: %d fields, but %d columns", name, number, len(fields), len(columns))
		}
		row := make(map[string]string, len(columns))
		for i, field := range fields {
			row[columns[i]] = field
		}
		if err := visit(row); err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	return lines.Err()
}
