package invoices

import (
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Document is a receipt or a credit note, as it was issued. It never changes.
type Document struct {
	Series Series
	Number int    // from 1, without gaps in the series
	Prefix string // of the code: names the store, because a seller may have several
	Token  string // of the document's URL, unguessable

	MerchantID string
	OrderID    string
	EventID    string // the payment ("PAY_…") or the refund ("REF_…")

	IssuedAt   int64 // Unix milliseconds
	SuppliedAt int64 // when the payment or the refund succeeded, Unix milliseconds
	Preceding  *Reference

	Seller Party
	Buyer  Party
	Line   Line

	// The amounts are minor units of Currency and never negative: a credit note says what is taken back. Subtotal + Tax = Total,
	// and Tax is the sum of the components.
	Currency             money.Currency
	Subtotal, Tax, Total int64

	// What a receipt's price was before the discount, and the discount; 0 and none without one, and on credit notes, which say what is
	// taken back of the amounts above. They contain the tax if Line.Inclusive is set.
	ListPrice int64
	Discount  checkout.Discount

	Components  []tax.Component // nil if no tax is charged
	Reason      tax.Reason
	DataVersion string // of the tax rules

	Payment  Payment
	Language string // BCP 47, of the checkout session; "" for the reader's own
	StoreRef StoreRef
	Exchange *Exchange // nil if the tax is not known in another currency

	Consents []checkout.Consent // of the buyer
}

// Series is what the numbers of documents count in. A number is unique in its series.
type Series struct {
	Environment checkout.Environment
	StoreID     string
	Kind        Kind
	Year        int // of the day of issue, UTC
}

// Kind is the type of a document.
type Kind string

const (
	Receipt    Kind = "receipt"
	CreditNote Kind = "credit-note"
)

// Reference names the receipt that a credit note corrects.
type Reference struct {
	Code     string
	Token    string
	IssuedAt int64 // Unix milliseconds
}

// Party is a seller or a buyer.
type Party struct {
	Name       string
	TaxID      string
	Email      string
	Street     string
	Postcode   string
	City       string
	State      string
	Country    country.Code
	IsBusiness bool
}

// Line is what was sold.
type Line struct {
	ProductID string
	Name      string
	Category  tax.Category
	Inclusive bool // the price contained the tax
}

// Payment is how the order was paid.
type Payment struct {
	ID     string // "PAY_…"
	Method string // "card", "" unknown
	Last4  string
}

// StoreRef is what the page of a document shows of the store beside the seller.
type StoreRef struct{ Name, SupportEmail string }

// Code is the number on the document, "A1B2C3-2026-000042". Those of the test environment begin with TEST, those of credit notes
// have CN before the number. It is unique among a merchant's documents.
func (d *Document) Code() string {
	code := fmt.Sprintf("%s-%d-%06d", d.Prefix, d.Series.Year, d.Number)
	if d.Series.Kind == CreditNote {
		code = fmt.Sprintf("%s-%d-CN%06d", d.Prefix, d.Series.Year, d.Number)
	}
	if d.Series.Environment == checkout.Test {
		code = "TEST-" + code
	}
	return code
}

// prefixOf returns the part of a code that names the store: the digits at the end of its slug, which no other store has.
func prefixOf(slug string) string {
	name, digits, _ := cutLast(slug, "-")
	if len(digits) == 6 && strings.Trim(digits, "0123456789abcdef") == "" && name != "" {
		return strings.ToUpper(digits)
	}
	return strings.ToUpper(slug)
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// Path is the path of the document's page.
func (d *Document) Path() string { return "/orders/" + d.Token + "/receipt" }

// IsInvoice reports whether the document has what an invoice to a business needs (Directive 2006/112/EC, Art. 226): the seller's
// name and address, and the buyer's name. Otherwise it is a receipt.
func (d *Document) IsInvoice() bool {
	return d.Buyer.IsBusiness && d.Seller.Street != "" && d.Seller.City != ""
}

// TitleKey is the key of the document's title in the message catalogs of package locale.
func (d *Document) TitleKey() string {
	switch {
	case d.Series.Kind == CreditNote:
		return "document.credit-note"
	case d.IsInvoice():
		return "document.invoice"
	}
	return "document.receipt"
}

func day(milliseconds int64) string { return time.UnixMilli(milliseconds).UTC().Format(time.DateOnly) }
