package locale

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

// question is the input of testdata/intl.mjs for one locale, and answer its output.
type question struct {
	Tag      string      `json:"tag"`
	Amounts  []amounts   `json:"amounts"`
	Percents []string    `json:"percents"`
	Dates    []time.Time `json:"dates"`
	Counts   []int       `json:"counts"`
	Lists    [][]string  `json:"lists"`
}

type amounts struct {
	Currency money.Currency `json:"currency"`
	Digits   int            `json:"digits"`
	Amounts  []string       `json:"amounts"`
}

type answer struct {
	Amounts, Percents, Dates, Counts []string
	Lists                            [][]string
}

// TestIntl compares every locale with Chromium's Intl: amounts in every currency, percentages, dates, plurals, and the order of
// lists.
func TestIntl(t *testing.T) {
	var questions []question
	for _, l := range All() {
		questions = append(questions, ask(l))
	}
	for i, theirs := range askChromium(t, questions) {
		q := &questions[i]
		l := Find(q.Tag)
		compare(t, l, "amount", q.amounts(l), theirs.Amounts)
		compare(t, l, "percent", q.percents(l), theirs.Percents)
		compare(t, l, "date", q.dates(l), theirs.Dates)
		compare(t, l, "plural", q.plurals(l), theirs.Counts)
		for n, list := range theirs.Lists {
			compare(t, l, "order", q.Lists[n], list)
		}
	}
}

func ask(l *Locale) question {
	q := question{Tag: l.Tag, Percents: []string{"0", "5", "8.875", "6.25", "19", "25.5", "100"}}
	for c := range money.Currencies() {
		if differs(l.Tag, c) {
			continue
		}
		list := amounts{Currency: c, Digits: c.Digits()}
		for _, minor := range []int64{0, 7, 129000, 1234567890} {
			list.Amounts = append(list.Amounts, money.Amount{Minor: minor, Currency: c}.String())
		}
		q.Amounts = append(q.Amounts, list)
	}
	for month := range 12 {
		q.Dates = append(q.Dates, time.Date(2026, time.Month(month+1), 3*month+1, 23, 59, 0, 0, time.UTC))
	}
	for n := range 130 {
		q.Counts = append(q.Counts, n)
	}
	q.Lists = append(q.Lists, names(l))
	if l.facts.States != "" {
		q.Lists = append(q.Lists, stateNames(l, "US"), stateNames(l, "CA"))
	}
	return q
}

func names(l *Locale) (list []string) {
	for c := range l.Countries() {
		list = append(list, l.Country(c))
	}
	return list
}

func stateNames(l *Locale, c country.Code) (list []string) {
	for _, s := range l.States(c) {
		list = append(list, s.Name)
	}
	return list
}

func (q *question) amounts(l *Locale) (list []string) {
	for _, a := range q.Amounts {
		notation := l.Money(a.Currency)
		for _, amount := range a.Amounts {
			list = append(list, notation.Write(amount))
		}
	}
	return list
}

func (q *question) percents(l *Locale) (list []string) {
	for _, p := range q.Percents {
		notation := l.Percent()
		list = append(list, notation.Write(p))
	}
	return list
}

func (q *question) dates(l *Locale) (list []string) {
	for _, d := range q.Dates {
		list = append(list, strings.ReplaceAll(l.Date(d), "\u202f", " ")) // V8 replaces narrow spaces in dates
	}
	return list
}

func (q *question) plurals(l *Locale) (list []string) {
	for _, n := range q.Counts {
		list = append(list, plural(l.Tag, n))
	}
	return list
}

func compare(t *testing.T, l *Locale, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values of %s, want %d", l.Tag, len(got), what, len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: %s %q, want %q as in Chromium", l.Tag, what, got[i], want[i])
		}
	}
}

func askChromium(t *testing.T, questions []question) (answers []answer) {
	t.Helper()
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "testdata/intl.mjs")
	node.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v: %s\nthe test needs node, chromium (Debian packages nodejs, chromium) and npm ci in web/", err, &stderr)
	}
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions: %v", len(answers), len(questions), err)
	}
	return answers
}

// differs reports whether Chromium's version of CLDR has another symbol. The page is not affected: its script uses the server's
// Notation.
func differs(tag string, c money.Currency) bool {
	return c == "XCG" || tag == "nl" && c == "ZWG" || tag == "ru-RU" && c == "UAH"
}
