package invoices

import (
	"cmp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Invoice is a document as JSON. Names and structure are those of a GOBL bill.Invoice, and the codes of taxes those of EN 16931
// (UNTDID 5305, VATEX). Amounts are decimals in the currency, percentages have a percent sign.
type Invoice struct {
	Type      string        `json:"type"` // "standard" or "credit-note"
	Series    string        `json:"series"`
	Code      string        `json:"code"` // the whole number, series included
	IssueDate string        `json:"issue_date"`
	OpDate    string        `json:"op_date"` // of the payment or refund
	Currency  string        `json:"currency"`
	Preceding []Preceding   `json:"preceding,omitempty"`
	Supplier  Entity        `json:"supplier"`
	Customer  Entity        `json:"customer"`
	Lines     []InvoiceLine `json:"lines"`
	Totals    Totals        `json:"totals"`
	Payment   *Advances     `json:"payment,omitempty"`
	Notes     []Note        `json:"notes,omitempty"`
	Meta      Meta          `json:"meta"`
}

// Preceding names the document that a credit note corrects.
type Preceding struct {
	Code      string `json:"code"`
	IssueDate string `json:"issue_date"`
}

// Entity is the supplier or the customer.
type Entity struct {
	Name      string    `json:"name,omitempty"`
	TaxID     *TaxID    `json:"tax_id,omitempty"`
	Addresses []Address `json:"addresses"`
	Emails    []Email   `json:"emails,omitempty"`
}

// TaxID is a tax number with the country that it is of. The code keeps its prefix.
type TaxID struct {
	Country string `json:"country"`
	Code    string `json:"code"`
}

// Address is a postal address.
type Address struct {
	Street   string `json:"street,omitempty"`
	Locality string `json:"locality,omitempty"`
	Region   string `json:"region,omitempty"`
	Code     string `json:"code,omitempty"`
	Country  string `json:"country"`
}

// Email is an e-mail address.
type Email struct {
	Address string `json:"addr"`
}

// InvoiceLine is a line of the invoice.
type InvoiceLine struct {
	Index    int    `json:"i"`
	Quantity string `json:"quantity"`
	Item     Item   `json:"item"`
	Sum      string `json:"sum"`
	Taxes    []Tax  `json:"taxes"`
	Total    string `json:"total"`
}

// Item is what was sold.
type Item struct {
	Ref   string `json:"ref"` // the product's id
	Name  string `json:"name"`
	Price string `json:"price"` // net
}

// Tax is one tax on a line.
type Tax struct {
	Category string            `json:"cat"`               // "VAT", "GST"
	Country  string            `json:"country,omitempty"` // jurisdiction: "DE", "US-TX"
	Key      string            `json:"key"`               // why: "standard", "reverse-charge"
	Percent  string            `json:"percent,omitempty"`
	Ext      map[string]string `json:"ext,omitempty"`
}

// Totals are the sums of the invoice.
type Totals struct {
	Sum          string    `json:"sum"`
	Total        string    `json:"total"` // net
	Taxes        *TaxTotal `json:"taxes,omitempty"`
	Tax          string    `json:"tax"`
	TotalWithTax string    `json:"total_with_tax"`
	Payable      string    `json:"payable"`
	Advance      string    `json:"advance,omitempty"`
	Due          string    `json:"due,omitempty"`
}

// TaxTotal sums the taxes by category.
type TaxTotal struct {
	Categories []TaxCategory `json:"categories"`
	Sum        string        `json:"sum"`
}

// TaxCategory is the total of one tax.
type TaxCategory struct {
	Code   string    `json:"code"`
	Rates  []TaxRate `json:"rates"`
	Amount string    `json:"amount"`
}

// TaxRate is the total of one rate of a tax.
type TaxRate struct {
	Key     string            `json:"key"`
	Country string            `json:"country,omitempty"`
	Ext     map[string]string `json:"ext,omitempty"`
	Base    string            `json:"base"`
	Percent string            `json:"percent,omitempty"`
	Amount  string            `json:"amount"`
}

// Advances are payments made before the invoice.
type Advances struct {
	Advances []Advance `json:"advances"`
}

// Advance is one payment.
type Advance struct {
	Date        string `json:"date"`
	Ref         string `json:"ref"`
	Description string `json:"description"`
	Amount      string `json:"amount"`
}

// Note is a text that the law asks for.
type Note struct {
	Key  string `json:"key"`
	Src  string `json:"src"`
	Text string `json:"text"`
}

// Meta has what is the server's own.
type Meta struct {
	OrderID     string `json:"order_id"`
	EventID     string `json:"event_id"`
	Environment string `json:"environment"`
	TaxData     string `json:"tax_data,omitempty"` // version of the tax rules
}

// reverseChargeNote is the mention of Directive 2006/112/EC, Art. 226(11a), in English.
const reverseChargeNote = "Reverse charge"

// JSON returns a document as an [Invoice].
func JSON(d *Document) *Invoice {
	v := &Invoice{
		Type: "standard", Series: d.Prefix, Code: d.Code(), IssueDate: day(d.IssuedAt), OpDate: day(d.SuppliedAt), Currency: string(d.Currency),
		Supplier: entityOf(&d.Seller), Customer: entityOf(&d.Buyer), Lines: []InvoiceLine{d.line()}, Totals: d.totals(),
		Meta: Meta{d.OrderID, d.EventID, string(d.Series.Environment), d.DataVersion},
	}
	if d.Series.Kind == CreditNote {
		v.Type = "credit-note"
	} else {
		v.Payment = &Advances{[]Advance{{day(d.SuppliedAt), d.Payment.ID, cmp.Or(d.Payment.Method, "payment"), d.amount(d.Total)}}}
		v.Totals.Advance, v.Totals.Due = d.amount(d.Total), d.amount(0)
	}
	if r := d.Preceding; r != nil {
		v.Preceding = []Preceding{{r.Code, day(r.IssuedAt)}}
	}
	if d.Reason == tax.ReverseCharge {
		v.Notes = append(v.Notes, Note{"legal", "reverse-charge", reverseChargeNote})
	}
	if d.Series.Environment == checkout.Test {
		v.Notes = append(v.Notes, Note{"general", "test", "Test document: no money has moved"})
	}
	return v
}

func (d *Document) amount(minor int64) string {
	return money.Amount{Minor: minor, Currency: d.Currency}.String()
}

func entityOf(p *Party) Entity {
	e := Entity{Name: p.Name, Addresses: []Address{{p.Street, p.City, p.State, p.Postcode, string(p.Country)}}}
	if p.TaxID != "" {
		e.TaxID = &TaxID{string(p.Country), p.TaxID}
	}
	if p.Email != "" {
		e.Emails = []Email{{p.Email}}
	}
	return e
}

func (d *Document) line() InvoiceLine {
	net := d.amount(d.Subtotal)
	l := InvoiceLine{Index: 1, Quantity: "1", Item: Item{d.Line.ProductID, d.Line.Name, net}, Sum: net, Total: net}
	for i := range d.Components {
		c := &d.Components[i]
		l.Taxes = append(l.Taxes, Tax{categoryCode(c.Tax), c.Jurisdiction, d.Reason.String(), c.Rate.Percent() + "%", d.ext()})
	}
	if len(l.Taxes) == 0 {
		l.Taxes = []Tax{{"VAT", string(d.Buyer.Country), d.Reason.String(), "", d.ext()}}
	}
	return l
}

func (d *Document) totals() Totals {
	t := Totals{Sum: d.amount(d.Subtotal), Total: d.amount(d.Subtotal), Tax: d.amount(d.Tax), TotalWithTax: d.amount(d.Total), Payable: d.amount(d.Total)}
	taxes := &TaxTotal{Sum: d.amount(d.Tax)}
	for i := range d.Components {
		c := &d.Components[i]
		rate := TaxRate{d.Reason.String(), c.Jurisdiction, d.ext(), d.amount(c.Taxable), c.Rate.Percent() + "%", d.amount(c.Amount)}
		taxes.Categories = append(taxes.Categories, TaxCategory{categoryCode(c.Tax), []TaxRate{rate}, d.amount(c.Amount)})
	}
	if len(d.Components) == 0 {
		rate := TaxRate{d.Reason.String(), string(d.Buyer.Country), d.ext(), d.amount(d.Subtotal), "", d.amount(0)}
		taxes.Categories = []TaxCategory{{"VAT", []TaxRate{rate}, d.amount(0)}}
	}
	t.Taxes = taxes
	return t
}

// categoryCode is GOBL's code of a tax.
func categoryCode(name string) string {
	switch name {
	case "sales", "local":
		return "ST"
	case "jct":
		return "CT"
	}
	b := []byte(name)
	for i := range b {
		b[i] -= 'a' - 'A'
	}
	return string(b)
}

// ext has the codes of EN 16931: BT-151 by UNTDID 5305, and BT-121 of the VATEX list.
func (d *Document) ext() map[string]string {
	switch d.Reason {
	case tax.Standard, tax.Reduced:
		return map[string]string{"untdid-tax-category": "S"}
	case tax.ZeroRated:
		return map[string]string{"untdid-tax-category": "Z"}
	case tax.Exempt:
		return map[string]string{"untdid-tax-category": "E"}
	case tax.ReverseCharge:
		return map[string]string{"untdid-tax-category": "AE", "cef-vatex": "VATEX-EU-AE"}
	case tax.OutOfScope:
		return map[string]string{"untdid-tax-category": "O", "cef-vatex": "VATEX-EU-O"}
	}
	return nil
}
