// Package rules is for writing a store's own rule in Go, as a WebAssembly module that TinyGo compiles. A program sets [Validate], [Adjust]
// or both; README.md has one, and how to build and upload it. Package edge/plugins specifies the JSON behind it.
//
// A rule is a function of the draft: a module has no clock, random numbers, files or network. It may keep nothing between calls. A panic,
// also that of an index out of range, is a failure of the rule; what happens to the order then is set with crepe plugin upload.
package rules

// Validate returns why an order is refused; none lets it pass. At most ten problems may be returned.
var Validate = func(*Draft) []Problem { return nil }

// Adjust returns a discount; the zero value is none. It is called for orders that Validate lets pass.
var Adjust = func(*Draft) Discount { return Discount{} }

// Draft is an order that is not placed yet.
type Draft struct {
	Environment string // "test" or "prod"
	StoreID     string
	ProductID   string
	TaxCategory string // "saas", "ebook"
	Price       int64  // of the product, without a discount, in minor units of Currency: cents
	Currency    string // "EUR"
	BuyerEmail  string // in lower case; "" in a quote for a buyer who has not typed one yet

	Country      string // ISO 3166-1 alpha-2: "DE"
	IsBusiness   bool
	Postcode     string // "" if not given, as all below
	State        string
	BusinessName string
	TaxID        string
	TaxIDChecked bool // TaxID has the form and the check digits of its country

	On     string // the day in UTC: "2026-11-29"
	Config Value  // what was uploaded with the module: an object

	decimals int // of Currency
}

// Paths of the fields that a problem may name.
const (
	BuyerEmail   = "/buyerEmail"
	Country      = "/billingDetail/country"
	IsBusiness   = "/billingDetail/isBusiness"
	Postcode     = "/billingDetail/postcode"
	State        = "/billingDetail/state"
	BusinessName = "/billingDetail/businessName"
	TaxID        = "/billingDetail/taxId"
)

// Problem is a reason to refuse an order.
type Problem struct {
	Code    string // kebab-case, of at most 64 bytes: "order-too-large"
	Path    string // of the field; "" if no field is at fault
	Message string // what the buyer reads, of at most 300 bytes
}

// Discount is what is taken off the price.
type Discount struct {
	Amount int64  // in minor units, below the price; 0 is none
	Label  string // what the buyer reads beside it, of at most 80 characters
}

// Amount reads an amount of the draft's currency, such as "29.00" or "29", in minor units. It panics if text is none, because a config with a
// mistake must not pass unnoticed.
func (d *Draft) Amount(text string) int64 {
	amount, decimals, ok := parse(text)
	if !ok || decimals > d.decimals {
		panic("not an amount")
	}
	for ; decimals < d.decimals; decimals++ {
		amount *= 10
	}
	return amount
}

// parse reads a decimal of up to 15 digits without its point.
func parse(text string) (n int64, decimals int, ok bool) {
	digits, point := 0, -1
	for i := range len(text) {
		c := text[i]
		switch {
		case '0' <= c && c <= '9' && digits < 15:
			n = n*10 + int64(c-'0')
			digits++
		case c == '.' && point < 0 && digits > 0:
			point = i
		default:
			return 0, 0, false
		}
	}
	if point >= 0 {
		decimals = len(text) - point - 1
	}
	return n, decimals, digits > 0 && point != len(text)-1
}

// Write writes an amount of minor units in the form of the API, "29.00".
func (d *Draft) Write(amount int64) string {
	digits := make([]byte, 0, 20)
	for n := 0; amount > 0 || n <= d.decimals; n++ {
		if n == d.decimals && n > 0 {
			digits = append(digits, '.')
		}
		digits = append(digits, byte('0'+amount%10))
		amount /= 10
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return string(digits)
}

// members is the number of a draft's members that are read.
const members = 8

// read reads a draft, in one pass.
func read(input string) *Draft {
	d := &Draft{}
	amount, missing := "", members
	for name, v := range (Value{input}).Members {
		switch name {
		case "environment":
			d.Environment = v.Text()
		case "storeId":
			d.StoreID = v.Text()
		case "product":
			d.ProductID, d.TaxCategory = v.Get("id").Text(), v.Get("taxCategory").Text()
		case "price":
			amount, d.Currency = v.Get("amount").Text(), v.Get("currency").Text()
		case "buyerEmail":
			d.BuyerEmail = v.Text()
		case "billingDetail":
			d.bill(v)
		case "on":
			d.On = v.Text()
		case "config":
			d.Config = v
		default:
			continue
		}
		if missing--; missing == 0 {
			break // the config, which can be long, is the last one at the server
		}
	}
	var ok bool
	if d.Price, d.decimals, ok = parse(amount); !ok {
		panic("no price")
	}
	return d
}

func (d *Draft) bill(detail Value) {
	for name, v := range detail.Members {
		switch name {
		case "country":
			d.Country = v.Text()
		case "isBusiness":
			d.IsBusiness = v.True()
		case "postcode":
			d.Postcode = v.Text()
		case "state":
			d.State = v.Text()
		case "businessName":
			d.BusinessName = v.Text()
		case "taxId":
			d.TaxID = v.Text()
		case "taxIdChecked":
			d.TaxIDChecked = v.True()
		}
	}
}

const nothing = `{"data":{}}`

// validate is the operation of that name.
func validate(input string) string {
	problems := Validate(read(input))
	if len(problems) == 0 {
		return nothing
	}
	answer := []byte(`{"errors":[`)
	for i, p := range problems {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = appendMember(append(answer, '{'), "code", p.Code)
		if p.Path != "" {
			answer = appendMember(append(answer, ','), "path", p.Path)
		}
		answer = append(appendMember(append(answer, ','), "message", p.Message), '}')
	}
	return string(append(answer, "]}"...))
}

// adjust is the operation of that name.
func adjust(input string) string {
	d := read(input)
	off := Adjust(d)
	if off.Amount == 0 {
		return nothing
	}
	answer := appendMember([]byte(`{"data":{"discount":{`), "amount", d.Write(off.Amount))
	answer = appendMember(append(answer, ','), "label", off.Label)
	return string(append(answer, "}}}"...))
}
