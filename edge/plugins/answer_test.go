package plugins

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
)

func TestProblems(t *testing.T) {
	many := func(n int) string {
		return `{"errors":[` + strings.TrimSuffix(strings.Repeat(`{"code":"a","message":"b"},`, n), ",") + `]}`
	}
	message := func(n int) string { return `{"errors":[{"code":"a","message":"` + strings.Repeat("x", n) + `"}]}` }
	for answer, want := range map[string]int{
		`{"data":{}}`:             0,
		" {\n\"data\" : { } } \n": 0,
		many(1):                   1,
		many(10):                  10,
		message(300):              1,
		`{"errors":[{"code":"a-1","path":"/billingDetail/taxId","message":"é\"\\"}]}`: 1,
		`{"errors":[{"code":"a","path":"","message":"b"}]}`:                           1,

		``: -1, `null`: -1, `[]`: -1, `{}`: -1, `{"data":{}`: -1, `{"data":{}}x`: -1, `{"data":null}`: -1, `{"data":[]}`: -1, `{"data":{"a":1}}`: -1,
		`{"Data":{}}`: -1, `{"data":{},"errors":[]}`: -1, `{"errors":[]}`: -1, `{"errors":{}}`: -1, `{"errors":[1]}`: -1, `{"errors":null}`: -1, "{\"data\":{}}\x00": -1,
		many(11): -1, message(301): -1, message(0): -1,
		`{"errors":[{"code":"a"}]}`:                                                -1,
		`{"errors":[{"message":"a"}]}`:                                             -1,
		`{"errors":[{"code":"A","message":"b"}]}`:                                  -1,
		`{"errors":[{"code":"a-","message":"b"}]}`:                                 -1,
		`{"errors":[{"code":"` + strings.Repeat("a", 65) + `","message":"b"}]}`:    -1,
		`{"errors":[{"code":"a","message":"b","more":1}]}`:                         -1,
		`{"errors":[{"code":"a","path":"/successUrl","message":"b"}]}`:             -1,
		`{"errors":[{"code":"a","path":null,"message":"b"}]}`:                      -1,
		`{"errors":[{"code":"a","message":"b\n"}]}`:                                -1,
		`{"errors":[{"code":"a","message":"` + "\xff" + `"}]}`:                     -1,
		`{"data":{}` + strings.Repeat(" ", maxAnswer) + `}`:                        -1,
		`{"errors":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`: -1,
		`{"errors":[{"code":"a","message":{"b":1}}]}`:                              -1,
	} {
		problems, err := readProblems([]byte(answer))
		if got := len(problems); err != nil && want >= 0 || err == nil && got != want {
			t.Errorf("%.80q: %d problems, %v; want %d", answer, got, err, want)
		}
		for _, p := range problems {
			if !strings.HasPrefix(p.Code, "rule-") {
				t.Errorf("%q has the code %s", answer, p.Code)
			}
		}
	}
}

func TestDiscounts(t *testing.T) {
	discount := func(amount, label string) string {
		return `{"data":{"discount":{"amount":"` + amount + `","label":"` + label + `"}}}`
	}
	for answer, want := range map[string]int64{
		`{"data":{}}`:                          0,
		discount("5.00", "Spring"):             500,
		discount("28.99", "a"):                 2899,
		discount("5", strings.Repeat("é", 80)): 500,

		discount("29.00", "a"): -1, discount("30", "a"): -1, discount("0.00", "a"): -1, discount("-1", "a"): -1, discount("1.234", "a"): -1, discount("5", ""): -1,
		discount("5", strings.Repeat("é", 81)): -1, discount("5", " a"): -1, discount("5", `a\u202eb`): -1, discount("5", `a\nb`): -1,
		`{"data":{"discount":{"amount":5,"label":"a"}}}`:               -1,
		`{"data":{"discount":{"amount":"5"}}}`:                         -1,
		`{"data":{"discount":{"label":"a"}}}`:                          -1,
		`{"data":{"discount":null}}`:                                   -1,
		`{"data":{"discount":{"amount":"5","label":"a","percent":1}}}`: -1,
		`{"data":{"Discount":{"amount":"5","label":"a"}}}`:             -1,
		`{"errors":[{"code":"a","message":"b"}]}`:                      -1,
		``: -1,
	} {
		got, err := readDiscount([]byte(answer), money.Amount{Minor: 2900, Currency: "EUR"})
		if err != nil && want >= 0 || err == nil && got.Minor != want {
			t.Errorf("%.80q: %+v, %v; want %d", answer, got, err, want)
		}
	}
}

// TestQuotesNothing: the error of a wrong answer has nothing of the answer, which may have data of the buyer.
func TestQuotesNothing(t *testing.T) {
	const secret = "ann@example.com"
	for _, answer := range []string{secret, `{"` + secret + `":1}`, `{"errors":[{"code":"` + secret + `","message":"b"}]}`, `{"errors":[{"code":"a","path":"/` + secret + `","message":"b"}]}`,
		`{"errors":"` + secret + `"}`, `{"errors":[{"code":"a","message":"\n` + secret + `"}]}`} {
		if _, err := readProblems([]byte(answer)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// FuzzAnswers: whatever a rule answers is refused or within its bounds.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{`{"data":{}}`, `{"errors":[{"code":"a-1","path":"/buyerEmail","message":"é\""}]}`, `{"data":{"discount":{"amount":"5.00","label":"Spring"}}}`} {
		f.Add([]byte(seed))
	}
	price := money.Amount{Minor: 2900, Currency: "EUR"}
	f.Fuzz(func(t *testing.T, answer []byte) {
		problems, err := readProblems(answer)
		if len(problems) > maxProblems || err != nil && problems != nil {
			t.Errorf("%d problems, %v", len(problems), err)
		}
		for _, p := range problems {
			if !isCode(p.Code) || len(p.Message) == 0 || len(p.Message) > maxMessage || strings.ContainsFunc(p.Message, isControl) {
				t.Errorf("the problem %+v", p)
			}
		}
		if discount, err := readDiscount(answer, price); err == nil && !discount.Valid(price) {
			t.Errorf("the discount %+v", discount)
		}
	})
}
