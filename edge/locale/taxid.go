package locale

import (
	"cmp"

	"github.com/crepe-checkout/crepe/core/vatid"
)

// taxIDs are what businesses call their tax number where it is no VAT number. A name is the same in every language, unless a
// catalog has its own, "tax-id.JP".
var taxIDs = map[string]string{
	"AE": "TRN", "AR": "CUIT", "AU": "ABN", "BD": "BIN", "BH": "TRN", "BO": "NIT", "BR": "CNPJ", "CA": "BN", "CL": "RUT", "CN": "USCC",
	"CO": "NIT", "DO": "RNC", "EC": "RUC", "ET": "TIN", "GH": "TIN", "GT": "NIT", "HN": "RTN", "ID": "NPWP", "IN": "GSTIN",
	"KE": "KRA PIN", "KR": "BRN", "KZ": "BIN", "MX": "RFC", "MY": "TIN", "NG": "TIN", "NI": "RUC", "NZ": "IRD", "OM": "TRN", "PA": "RUC",
	"PE": "RUC", "PH": "TIN", "PK": "NTN", "PR": "EIN", "PY": "RUC", "RS": "PIB", "RU": "INN", "SG": "UEN", "SV": "NIT", "TH": "TIN",
	"TR": "VKN", "TW": "UBN", "TZ": "TIN", "UG": "TIN", "US": "EIN", "UY": "RUT", "VE": "RIF", "VN": "MST",
}

// LocalTaxID returns what businesses in a country call their tax number, "EIN", or "" if [Locale.TaxID] is the language's word.
func (l *Locale) LocalTaxID(country string) string {
	return cmp.Or(l.texts["tax-id."+country], taxIDs[country])
}

// TaxID returns the label of a business's tax number in a country: the country's own name for it, or the language's word for a VAT
// number or another tax number.
func (l *Locale) TaxID(country string) string {
	key := "tax-id"
	if vatid.VAT(country) {
		key = "vat-id"
	}
	return cmp.Or(l.LocalTaxID(country), l.texts[key])
}
