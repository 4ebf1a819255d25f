package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/quoteview"
	"github.com/crepe-checkout/crepe/edge/server"
)

const quoteUsage = `crepe quote computes the tax on a sale by the rules that apply to an order, and explains it.

Usage:
  crepe quote --country DE --category saas --amount 29.00 --currency EUR
  crepe quote --country DE --business --tax-id DE136695976 --category saas --amount 29.00 --currency EUR \
              --on 2026-11-23 --explain
  crepe quote --batch FILE.tsv

The seller is a merchant of record that collects wherever the table has a rate, unless --registered names where it is
registered. The columns of FILE.tsv are named in its first line, in any order: country, state, postcode, isBusiness, taxId,
category, currency, amountMinor, behavior (exclusive or inclusive), on. A batch prints one JSON object for each row; that of
a row that cannot be quoted lists its problems. "-" is the standard input.

`

// asked is a sale as typed; each member is a flag or a column.
type asked struct {
	country, state, postcode, taxID         string
	business                                bool
	category, currency, amount, amountMinor string
	behavior, on, ipCountry                 string
}

func quote(args []string, stdout io.Writer) error {
	var a asked
	var seller tax.Seller
	f := newFlags("quote", quoteUsage)
	f.StringVar(&a.country, "country", "", "buyer's country, ISO 3166-1")
	f.StringVar(&a.state, "state", "", "buyer's state or province, for US and CA")
	f.StringVar(&a.postcode, "postcode", "", "buyer's postcode")
	f.BoolVar(&a.business, "business", false, "the buyer is a business")
	f.StringVar(&a.taxID, "tax-id", "", "the business's tax id")
	f.StringVar(&a.category, "category", "digital_goods", "tax category of the product")
	f.StringVar(&a.amount, "amount", "", "price, 29.00")
	f.StringVar(&a.currency, "currency", "", "ISO 4217")
	f.StringVar(&a.behavior, "behavior", "exclusive", "exclusive: tax comes on top; inclusive: the price contains it")
	f.StringVar(&a.on, "on", "", "day whose rules apply (default: today, UTC)")
	f.StringVar(&a.ipCountry, "ip-country", "", "country of the buyer's IP address, as evidence")
	home := f.String("seller-country", "HK", "where the seller is established")
	registered := f.String("registered", "", "where the seller collects: DE,EU,US-TX … (default: wherever there is a rate)")
	withRules := f.Bool("explain", false, "print every rule that applied, with its text, validity and source")
	asJSON := f.Bool("json", false, "print one JSON object")
	rates := f.String("rates", "", "file of your own tax rates (.tsv), over the built-in ones")
	batch := f.String("batch", "", "file of sales, tab-separated; - for the standard input")
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if err := settle(&seller, *home, *registered); err != nil {
		return err
	}
	own, err := server.ReadRates(*rates)
	if err != nil {
		return err
	}
	if *batch != "" {
		return eachRow(*batch, []string{"country", "category", "currency", "amountMinor"}, func(row map[string]string) error {
			business, err := strconv.ParseBool(orFalse(row["isBusiness"]))
			if err != nil {
				wrong := badQuestion("isBusiness", "expected true or false", row["isBusiness"])
				return json.NewEncoder(stdout).Encode(quoteview.Refused(problem.List{wrong}))
			}
			v := answer(&seller, own, asked{
				country: row["country"], state: row["state"], postcode: row["postcode"], taxID: row["taxId"], business: business,
				category: row["category"], currency: row["currency"], amountMinor: row["amountMinor"], behavior: row["behavior"], on: row["on"],
			}, *withRules)
			return json.NewEncoder(stdout).Encode(v)
		})
	}
	if a.country == "" || a.amount == "" || a.currency == "" {
		return misuse(f, "--country, --amount and --currency are needed, or --batch")
	}
	v := answer(&seller, own, a, *withRules)
	if *asJSON {
		if err := json.NewEncoder(stdout).Encode(v); err != nil {
			return err
		}
	} else if err := v.Text(stdout); err != nil {
		return err
	}
	if v.TotalMinor == nil {
		return errors.New("the sale cannot be quoted")
	}
	return nil
}

// settle reads the seller.
func settle(s *tax.Seller, home, registered string) error {
	code, ok := country.Parse(home)
	if !ok {
		return fmt.Errorf("--seller-country %q is not an ISO 3166-1 code", home)
	}
	s.Country, s.Everywhere = code, registered == ""
	for jurisdiction := range strings.SplitSeq(registered, ",") {
		if jurisdiction != "" {
			s.Registrations = append(s.Registrations, tax.Registration{Jurisdiction: jurisdiction})
		}
	}
	return nil
}

// answer quotes one sale, or lists everything that is wrong with it.
func answer(seller *tax.Seller, rates *table.Table, a asked, withRules bool) *quoteview.Quote {
	terms, problems := a.terms(seller)
	in := billing.Input{Country: a.country, State: a.state, Postcode: a.postcode, IsBusiness: &a.business, TaxID: a.taxID}
	if a.business {
		in.BusinessName = "-" // an invoice needs it, a quote does not
	}
	detail, wrong := billing.Check(in)
	problems = append(problems, wrong...)
	on, p := a.day()
	problems = appendIf(problems, p)
	ip, p := a.ip()
	problems = appendIf(problems, p)
	if len(problems) > 0 {
		return quoteview.Refused(problems)
	}
	q, p := terms.Quote(&detail, ip, on, rates)
	if p != nil {
		return quoteview.Refused(problem.List{p})
	}
	return quoteview.New(&q, withRules)
}

func (a *asked) terms(seller *tax.Seller) (t checkout.Terms, problems problem.List) {
	currency, ok := money.ParseCurrency(a.currency)
	if !ok {
		problems = append(problems, badQuestion("currency", "expected an ISO 4217 code", a.currency))
	}
	category, ok := tax.ParseCategory(a.category)
	if !ok {
		problems = append(problems, badQuestion("category", "expected digital_goods, saas, software, ebook, online_course, consulting or professional_service", a.category))
	}
	limits, ok := stripe.New(stripe.Config{}).Amounts(currency)
	if !ok {
		limits.SmallestUnit = 1 // the provider cannot charge it, but the tax can be computed
	}
	t = checkout.Terms{Category: category, Seller: *seller, Step: limits.SmallestUnit, Price: money.Amount{Currency: currency}}
	switch a.behavior {
	case "", "exclusive":
	case "inclusive":
		t.Inclusive = true
	default:
		problems = append(problems, badQuestion("behavior", "expected exclusive or inclusive", a.behavior))
	}
	if a.amountMinor != "" {
		minor, err := strconv.ParseInt(a.amountMinor, 10, 64)
		if err != nil || minor < 0 {
			return t, append(problems, badQuestion("amountMinor", "expected a whole number of minor units", a.amountMinor))
		}
		t.Price.Minor = minor
		return t, problems
	}
	if currency != "" {
		if t.Price, ok = money.ParseAmount(a.amount, currency); !ok {
			problems = append(problems, badQuestion("amount", "expected an amount with at most "+strconv.Itoa(currency.Digits())+" decimals", a.amount))
		}
	}
	return t, problems
}

func (a *asked) day() (civil.Date, *problem.Problem) {
	if a.on == "" {
		return civil.DateOf(time.Now().UnixMilli()), nil
	}
	day, ok := civil.ParseDate(a.on)
	if !ok {
		return 0, badQuestion("on", "expected a day, 2026-11-23", a.on)
	}
	return day, nil
}

func (a *asked) ip() (country.Code, *problem.Problem) {
	if a.ipCountry == "" {
		return "", nil
	}
	code, ok := country.Parse(a.ipCountry)
	if !ok {
		return "", badQuestion("ipCountry", "expected an ISO 3166-1 code", a.ipCountry)
	}
	return code, nil
}

func appendIf(list problem.List, p *problem.Problem) problem.List {
	if p == nil {
		return list
	}
	return append(list, p)
}

func badQuestion(field, expected, got string) *problem.Problem {
	return problem.New(problem.Invalid, "quote-"+strings.ToLower(field)+"-invalid", "/"+field,
		fmt.Sprintf("Invalid %s %q: %s", field, got, expected))
}

func orFalse(s string) string {
	if s == "" {
		return "false"
	}
	return s
}
