package invoices

import (
	"cmp"
	"context"
	"math/bits"
	"time"

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
	Rates     []Rate        `json:"exchange_rates,omitempty"`
	Preceding []Preceding   `json:"preceding,omitempty"`
	Supplier  Entity        `json:"supplier"`
	Customer  Entity        `json:"customer"`
	Lines     []InvoiceLine `json:"lines"`
	Totals    Totals        `json:"totals"`
	Payment   *Advances     `json:"payment,omitempty"`
	Notes     []Note        `json:"notes,omitempty"`
	Meta      Meta          `json:"meta"`
}

// Rate is an exchange rate: how many units of To one unit of From is worth.
type Rate struct {
	From   string `json:"from"`
	To     string `json:"to"`
	At     string `json:"at"` // the day
	Source string `json:"source"`
	Amount string `json:"amount"`
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
	Index     int            `json:"i"`
	Quantity  string         `json:"quantity"`
	Item      Item           `json:"item"`
	Sum       string         `json:"sum"`
	Discounts []LineDiscount `json:"discounts,omitempty"`
	Taxes     []Tax          `json:"taxes"`
	Total     string         `json:"total"`
}

// LineDiscount is what the store's rules have taken off a line, net.
type LineDiscount struct {
	Reason string `json:"reason"`
	Amount string `json:"amount"`
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
	OwnCurrency  string    `json:"tax_accounting_currency,omitempty"`    // EN 16931's BT-6: the seller's, where the rate is known
	OwnTax       string    `json:"tax_in_accounting_currency,omitempty"` // BT-111
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

	Consents    []Consent    `json:"consents,omitempty"`
	Corrections []Correction `json:"corrections,omitempty"`

	Consultation *Consultation `json:"vat_consultation,omitempty"`
}

// Consultation is VIES's confirmation of the customer's VAT number.
type Consultation struct {
	Number string `json:"number,omitempty"` // the consultation number; "" if VIES did not know the supplier's own number
	Date   string `json:"date"`
}

// Correction is a document that was issued later and corrects this one. It is not frozen with the rest.
type Correction struct {
	Type      string `json:"type"` // of the [Invoice]
	Code      string `json:"code"`
	IssueDate string `json:"issue_date"`
	Payable   string `json:"payable"`
	URL       string `json:"url"`
}

// Consent is a sentence that the buyer has agreed to.
type Consent struct {
	Version  string `json:"version"` // of the text
	Text     string `json:"text"`
	AgreedAt string `json:"agreed_at"` // RFC 3339
}

// reverseChargeNote is the mention of Directive 2006/112/EC, Art. 226(11a), in English.
const reverseChargeNote = "Reverse charge"

// JSON returns a document as an [Invoice], with its corrections, and VIES's confirmation of the customer's VAT number as soon as there is
// one.
func (s *Service) JSON(ctx context.Context, d *Document) (*Invoice, error) {
	corrections, err := s.Corrections(ctx, d)
	if err != nil {
		return nil, err
	}
	confirmed, err := s.consultation(ctx, d)
	if err != nil {
		return nil, err
	}
	v := invoiceOf(d)
	for i := range corrections {
		c := &corrections[i]
		v.Meta.Corrections = append(v.Meta.Corrections, Correction{c.invoiceType(), c.Code(), day(c.IssuedAt), c.amount(c.Total), s.URL(c)})
	}
	if confirmed != nil {
		v.Meta.Consultation = &Consultation{confirmed.Consultation, day(confirmed.AnsweredAt)}
	}
	return v, nil
}

func (d *Document) invoiceType() string {
	if d.Series.Kind == CreditNote {
		return "credit-note"
	}
	return "standard"
}

func invoiceOf(d *Document) *Invoice {
	v := &Invoice{
		Type: d.invoiceType(), Series: d.Prefix, Code: d.Code(), IssueDate: day(d.IssuedAt), OpDate: day(d.SuppliedAt), Currency: string(d.Currency),
		Supplier: entityOf(&d.Seller), Customer: entityOf(&d.Buyer), Lines: []InvoiceLine{d.line()}, Totals: d.totals(),
		Meta: Meta{OrderID: d.OrderID, EventID: d.EventID, Environment: string(d.Series.Environment), TaxData: d.DataVersion, Consents: consentsOf(d)},
	}
	if d.Series.Kind == Receipt {
		v.Payment = &Advances{[]Advance{{day(d.SuppliedAt), d.Payment.ID, cmp.Or(d.Payment.Method, "payment"), d.amount(d.Total)}}}
		v.Totals.Advance, v.Totals.Due = d.amount(d.Total), d.amount(0)
	}
	if e := d.Exchange; e != nil {
		v.Rates = e.json(d.Currency)
		v.Totals.OwnCurrency, v.Totals.OwnTax = string(e.Currency), money.Amount{Minor: e.Tax(), Currency: e.Currency}.String()
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

func (e *Exchange) json(sold money.Currency) (list []Rate) {
	rates := []Rate{{To: string(sold), Amount: e.Sold.String()}, {To: string(e.Currency), Amount: e.Own.String()}}
	for _, r := range rates {
		if r.To != string(e.Base) {
			list = append(list, Rate{string(e.Base), r.To, e.On.String(), e.Source, r.Amount})
		}
	}
	return list
}

func consentsOf(d *Document) (list []Consent) {
	for _, c := range d.Consents {
		list = append(list, Consent{c.Version, c.Text, time.UnixMilli(c.At).UTC().Format(time.RFC3339)})
	}
	return list
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
	net, list := d.amount(d.Subtotal), d.amount(d.listNet())
	l := InvoiceLine{Index: 1, Quantity: "1", Item: Item{d.Line.ProductID, d.Line.Name, list}, Sum: list, Total: net}
	if d.Discount.Minor != 0 {
		l.Discounts = []LineDiscount{{d.Discount.Label, d.amount(d.listNet() - d.Subtotal)}}
	}
	for i := range d.Components {
		c := &d.Components[i]
		l.Taxes = append(l.Taxes, Tax{categoryCode(c.Tax), c.Jurisdiction, d.Reason.String(), c.Rate.Percent() + "%", d.ext()})
	}
	if len(l.Taxes) == 0 {
		l.Taxes = []Tax{{"VAT", string(d.Buyer.Country), d.Reason.String(), "", d.ext()}}
	}
	return l
}

// listNet is the net price before the discount. Of a price with tax it is the part that Subtotal is of Total.
func (d *Document) listNet() int64 {
	switch {
	case d.Discount.Minor == 0:
		return d.Subtotal
	case !d.Line.Inclusive:
		return d.ListPrice
	}
	high, low := bits.Mul64(uint64(d.ListPrice), uint64(d.Subtotal))
	net, _ := bits.Div64(high, low, uint64(d.Total))
	return int64(net)
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
