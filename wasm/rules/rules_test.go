package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const input = `{"environment":"test","storeId":"STO_1","product":{"id":"PROD_1","taxCategory":"ebook"},"price":{"amount":"29.00","currency":"EUR"},` +
	`"buyerEmail":"ann@example.com","billingDetail":{"country":"DE","isBusiness":true,"postcode":"10119","businessName":"A \"B\" \u00e9\ud83e\udd5e",` +
	`"taxId":"DE136695976","taxIdChecked":true},"on":"2026-11-29","config":{"max":"20.00"},"later":[1,{"config":2}]}`

func TestDraft(t *testing.T) {
	d := read(input)
	if d.Config.Get("max").Text() != "20.00" {
		t.Errorf("the config is %+v", d.Config)
	}
	d.Config = Value{}
	want := Draft{Environment: "test", StoreID: "STO_1", ProductID: "PROD_1", TaxCategory: "ebook", Price: 2900, Currency: "EUR",
		BuyerEmail: "ann@example.com", Country: "DE", IsBusiness: true, Postcode: "10119", BusinessName: `A "B" é🥞`, TaxID: "DE136695976",
		TaxIDChecked: true, On: "2026-11-29", decimals: 2}
	if *d != want {
		t.Errorf("read %+v, want %+v", *d, want)
	}
	first := strings.Replace(`{"config":{"max":"20.00"},`+input[1:], `,"config":{"max":"20.00"},"later"`, `,"later"`, 1)
	if d := read(first); d.Config.Get("max").Text() != "20.00" || d.On != "2026-11-29" {
		t.Errorf("with the config first: %+v", d)
	}
}

func TestAnswers(t *testing.T) {
	defer func(validate func(*Draft) []Problem, adjust func(*Draft) Discount) {
		Validate, Adjust = validate, adjust
	}(Validate, Adjust)
	if got := validate(input) + adjust(input); got != nothing+nothing {
		t.Errorf("a rule without functions answers %s", got)
	}
	Validate = func(*Draft) []Problem {
		return []Problem{{"too-large", Country, "a \"quote\",\na line and é"}, {Code: "other", Message: "b"}}
	}
	Adjust = func(d *Draft) Discount { return Discount{d.Amount("0.5"), "Spring"} }
	want := `{"errors":[{"code":"too-large","path":"/billingDetail/country","message":"a \"quote\",\u000aa line and é"},{"code":"other","message":"b"}]}`
	if got := validate(input); got != want || !json.Valid([]byte(got)) {
		t.Errorf("validate answers %s, want %s", got, want)
	}
	if got, want := adjust(input), `{"data":{"discount":{"amount":"0.50","label":"Spring"}}}`; got != want {
		t.Errorf("adjust answers %s, want %s", got, want)
	}
}

func TestAmounts(t *testing.T) {
	for decimals, texts := range map[int]map[string]int64{0: {"4500": 4500, "0": 0}, 2: {"29": 2900, "29.5": 2950, "29.05": 2905, "0.01": 1}, 3: {"1.234": 1234}} {
		d := &Draft{decimals: decimals}
		for text, want := range texts {
			if got := d.Amount(text); got != want || d.Amount(d.Write(got)) != want {
				t.Errorf("%s is %d, and written %s", text, got, d.Write(got))
			}
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "1e3", "1.234", "1234567890123456", "1,5", " 1"} {
		if !panics(func() { (&Draft{decimals: 2}).Amount(text) }) {
			t.Errorf("%q is an amount", text)
		}
	}
}

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return false
}

func TestFields(t *testing.T) {
	v := Value{`{"a":1,"b":{"x":[1,"}"]}}`}
	if f := v.Fields("b", "c", "a"); !f[0].Exists() || f[1].Exists() || f[2].Int() != 1 {
		t.Errorf("fields: %+v", f)
	}
	if !panics(func() { v.Fields("a") }) {
		t.Error("an unknown member passes")
	}
}

// TestValues compares the reader with encoding/json on random values, compact and with white space.
func TestValues(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		value := anything(random, 4)
		text, err := json.Marshal(value)
		if random.IntN(2) == 0 {
			text, err = json.MarshalIndent(value, "", "\t ")
		}
		if err != nil {
			t.Fatal(err)
		}
		if wrong := differs(Value{string(text)}, value); wrong != "" {
			t.Fatalf("%s%s", text, wrong)
		}
	}
}

// differs is where a value differs from what encoding/json has of it; "" if nowhere.
func differs(v Value, want any) string {
	switch want := want.(type) {
	case nil:
		if v.Exists() {
			return ": null exists"
		}
	case string:
		if v.Text() != want {
			return fmt.Sprintf(": %q, want %q", v.Text(), want)
		}
	case bool:
		if v.True() != want {
			return fmt.Sprintf(": %t, want %t", v.True(), want)
		}
	case int:
		if v.Int() != int64(want) {
			return fmt.Sprintf(": %d, want %d", v.Int(), want)
		}
	case []any:
		i := 0
		for e := range v.All {
			if i == len(want) {
				return " has too many elements"
			}
			if wrong := differs(e, want[i]); wrong != "" {
				return fmt.Sprintf("[%d]%s", i, wrong)
			}
			if text, ok := want[i].(string); ok && !v.Has(text) {
				return fmt.Sprintf(" has no %q", text)
			}
			i++
		}
		if i != len(want) || v.Has("nowhere") {
			return fmt.Sprintf(" has %d elements, want %d", i, len(want))
		}
	case map[string]any:
		n := 0
		for range v.Members {
			n++
		}
		if n != len(want) || v.Get("nowhere").Exists() {
			return fmt.Sprintf(" has %d members, want %d", n, len(want))
		}
		for name, member := range want {
			if wrong := differs(v.Get(name), member); wrong != "" {
				return "." + name + wrong
			}
		}
	}
	return ""
}

func anything(random *rand.Rand, depth int) any {
	text := func() string {
		const letters = "abcdefgh\"\\/\n\t\x01é中🥞{}[],: <>"
		runes := []rune(letters)
		var b strings.Builder
		for range random.IntN(20) {
			b.WriteRune(runes[random.IntN(len(runes))])
		}
		return b.String()
	}
	switch kind := random.IntN(7); {
	case kind == 0:
		return nil
	case kind == 1:
		return random.IntN(2) == 0
	case kind == 2:
		return random.IntN(1_000_000)
	case kind <= 4 || depth == 0:
		return text()
	case kind == 5:
		list := []any{}
		for range random.IntN(5) {
			list = append(list, anything(random, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range random.IntN(5) {
		object[text()] = anything(random, depth-1)
	}
	return object
}

func TestSHA256(t *testing.T) {
	for n := range 200 {
		text := strings.Repeat("x", n)
		sum := sha256.Sum256([]byte(text))
		if got := SHA256(text); got != hex.EncodeToString(sum[:]) {
			t.Fatalf("of %d bytes: %s", n, got)
		}
	}
}
