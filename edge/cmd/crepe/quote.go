package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/quoteview"
	"github.com/crepe-checkout/crepe/edge/server"
)

const quoteUsage = `crepe quote computes the tax on a sale by the rules that apply to an order, and explains it.

Usage:
  crepe quote --country CC --amount AMOUNT --currency CUR [SETTINGS]
  crepe quote --batch FILE [SETTINGS]

Examples:
  crepe quote --country DE --category saas --amount 29.00 --currency EUR --explain
      A consumer, with every rule that applied.
  crepe quote --country DE --business --tax-id DE136695976 --amount 29.00 --currency EUR --on 2026-11-23
      A business, by the rules of that day.
  crepe quote --country US --state NY --postcode 10012 --amount 100 --currency USD --rates rates.tsv
      With local rates of your own.
  crepe quote --batch sales.tsv --seller-country DE --registered EU=2026-01-01,GB > taxes.jsonl
      A file of sales of a seller that collects in Germany, the EU and the United Kingdom.

The seller is a merchant of record that collects wherever the table has a rate, unless --registered names where it is
registered.

` + batchHelp + `Columns: country, state, postcode, isBusiness, taxId, category, currency, amountMinor, behavior (exclusive or inclusive), on,
ipCountry. A row that cannot be quoted lists its problems.

Settings:
`

// asked is a sale as typed; each member is a flag or a column.
type asked struct {
	country, state, postcode, taxID         string
	business                                bool
	category, currency, amount, amountMinor string
	behavior, on, ipCountry                 string
}

// quotes answers what sales are asked for.
type quotes struct {
	seller  tax.Seller
	rates   *table.Table // the operator's own, nil for none
	explain bool
}

func quote(ctx context.Context, args []string, stdout, stderr io.Writer, _ *slog.Logger) error {
	var a asked
	var q quotes
	f := newFlags("quote", quoteUsage)
	f.StringVar(&a.country, "country", "", "buyer's `country`, ISO 3166-1")
	f.StringVar(&a.state, "state", "", "buyer's `state` or province, for US and CA")
	f.StringVar(&a.postcode, "postcode", "", "buyer's `postcode`")
	f.BoolVar(&a.business, "business", false, "the buyer is a business")
	f.StringVar(&a.taxID, "tax-id", "", "the business's tax `id`")
	f.StringVar(&a.category, "category", "digital_goods", "tax `category` of the product")
	f.StringVar(&a.amount, "amount", "", "price, an `amount` such as 29.00")
	f.StringVar(&a.currency, "currency", "", "ISO 4217 `code`")
	f.StringVar(&a.behavior, "behavior", "exclusive", "exclusive: tax comes on top; inclusive: the price contains it")
	f.StringVar(&a.on, "on", "", "`day` whose rules apply (default: today, UTC)")
	f.StringVar(&a.ipCountry, "ip-country", "", "`country` of the buyer's IP address, as evidence")
	parsed(f, &q.seller.Country, "seller-country", "HK", parseSellerCountry, "`country` where the seller is established")
	f.Func("registered", "where the seller collects, a `list`: DE,EU,US-TX, each with a first day or without, EU=2026-01-01\n"+
		"(default: wherever there is a rate)", func(text string) (err error) {
		q.seller.Registrations, err = parseRegistered(text)
		return err
	})
	f.BoolVar(&q.explain, "explain", false, "print every rule that applied, with its text, validity and source")
	asJSON := f.Bool("json", false, "print one JSON object")
	rates := f.String("rates", "", "`file` of your own tax rates (.tsv), over the built-in ones")
	file := f.String("batch", "", "`file` of sales; - for the standard input")
	err := parse(f, args, stdout)
	if err != nil {
		return err
	}
	q.seller.Everywhere = q.seller.Registrations == nil
	if q.rates, err = server.ReadRates(*rates); err != nil {
		return err
	}
	if *file != "" {
		b := batch{*file, quoteColumns, quoteColumnsRequired, stdout, progressOn(stdout, stderr)}
		return b.run(ctx, q.answerRow)
	}
	if a.country == "" || a.amount == "" || a.currency == "" {
		return misuse(f, "--country, --amount and --currency are needed, or --batch")
	}
	v := q.answer(a)
	if *asJSON {
		err = json.NewEncoder(stdout).Encode(v)
	} else {
		err = v.Text(stdout)
	}
	if err == nil && v.TotalMinor == nil {
		err = errors.New("the sale cannot be quoted")
	}
	return err
}

// parseSellerCountry reads an ISO 3166-1 code as typed.
func parseSellerCountry(typed string) (country.Code, error) {
	code, ok := country.Parse(strings.ToUpper(strings.TrimSpace(typed)))
	if !ok {
		return "", errors.New("expected a code of ISO 3166-1 alpha-2, something like DE")
	}
	return code, nil
}

// parseRegistered reads "EU=2026-01-01,GB". A registration without a day has always been there.
func parseRegistered(text string) ([]tax.Registration, error) {
	list := []tax.Registration{}
	for _, entry := range splitList(text) {
		typed, day, dated := strings.Cut(entry, "=")
		jurisdiction, ok := catalog.ParseJurisdiction(typed)
		if !ok {
			return nil, fmt.Errorf("%q is no jurisdiction; expected EU, a country (DE), a state (US-TX) or a province (CA-QC)", typed)
		}
		if slices.ContainsFunc(list, func(r tax.Registration) bool { return r.Jurisdiction == jurisdiction }) {
			return nil, fmt.Errorf("%s is there twice", jurisdiction)
		}
		from, ok := civil.ParseDate(day)
		if dated && !ok {
			return nil, fmt.Errorf("%q is no day; expected something like 2026-01-31", day)
		}
		list = append(list, tax.Registration{Jurisdiction: jurisdiction, From: from})
	}
	if len(list) == 0 {
		return nil, errors.New("the list is empty; without --registered the seller collects wherever there is a rate")
	}
	return list, nil
}

var (
	quoteColumns = []string{"country", "state", "postcode", "isBusiness", "taxId", "category", "currency", "amountMinor", "behavior", "on",
		"ipCountry"}
	quoteColumnsRequired = []string{"country", "category", "currency", "amountMinor"}
)

// quoteAnswer is the quote of a row of a batch.
type quoteAnswer struct {
	*batchRow
	*quoteview.Quote
}

// answerRow quotes a row of a batch.
func (q *quotes) answerRow(row *batchRow) (any, bool) {
	if row.fault != nil {
		return quoteAnswer{row, quoteview.Refused(problem.List{row.fault})}, false
	}
	cells := row.cells
	business, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(cmp.Or(cells["isBusiness"], "false"))))
	if err != nil {
		wrong := badQuestion("isBusiness", "expected true or false", cells["isBusiness"])
		return quoteAnswer{row, quoteview.Refused(problem.List{wrong})}, false
	}
	v := q.answer(asked{country: cells["country"], state: cells["state"], postcode: cells["postcode"], taxID: cells["taxId"],
		business: business, category: cells["category"], currency: cells["currency"], amountMinor: cells["amountMinor"],
		behavior: cells["behavior"], on: cells["on"], ipCountry: cells["ipCountry"]})
	return quoteAnswer{row, v}, v.TotalMinor != nil
}

// trim removes white space around what was typed, and maps codes and names to the case in which they are defined.
func (a *asked) trim() {
	for _, field := range []*string{&a.country, &a.state, &a.currency, &a.ipCountry} {
		*field = strings.ToUpper(strings.TrimSpace(*field))
	}
	for _, field := range []*string{&a.category, &a.behavior} {
		*field = strings.ToLower(strings.TrimSpace(*field))
	}
	for _, field := range []*string{&a.postcode, &a.taxID, &a.amount, &a.amountMinor, &a.on} {
		*field = strings.TrimSpace(*field)
	}
}

// answer quotes one sale, or lists everything that is wrong with it.
func (q *quotes) answer(a asked) *quoteview.Quote {
	a.trim()
	terms, problems := a.terms(&q.seller)
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
	quote, p := terms.Quote(&detail, ip, on, q.rates)
	if p != nil {
		return quoteview.Refused(problem.List{p})
	}
	v := quoteview.New(&quote, q.explain)
	v.Cautions = quoteview.CautionsOf(&detail, on)
	return v
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
