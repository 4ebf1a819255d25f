package catalog

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/core/vatid"
)

const (
	maxLegalName     = 300
	maxAddressLine   = 200
	maxPostcode      = 20
	maxVATID         = 40
	maxRegistrations = 100
)

// SellerChange is a change of what tax and receipts need to know of a store's seller. Clear resets it before the rest applies.
type SellerChange struct {
	Clear         bool
	Country       Patch[string]
	Everywhere    Patch[bool]
	Registrations Patch[[]RegistrationInput]
	LegalName     Patch[string]
	Address       AddressChange
	VATID         Patch[string]
}

// RegistrationInput is a [tax.Registration] as given.
type RegistrationInput struct{ Jurisdiction, From string }

// AddressChange is a change of an [Address]. Clear resets it before the rest applies.
type AddressChange struct {
	Clear                          bool
	Street, Postcode, City, Region Patch[string]
}

func (c *SellerChange) apply(s *Store) *problem.Problem {
	if c.Clear {
		s.Seller, s.Legal = tax.Seller{}, Legal{}
	}
	c.Everywhere.to(&s.Seller.Everywhere)
	if c.Country.Given {
		s.Seller.Country = ""
		if c.Country.Value != "" {
			code, ok := country.Parse(strings.ToUpper(strings.TrimSpace(c.Country.Value)))
			if !ok {
				return invalid("/seller/country", "ISO 3166-1 alpha-2")
			}
			s.Seller.Country = code
		}
	}
	if refused := c.applyRegistrations(&s.Seller); refused != nil {
		return refused
	}
	return c.applyLegal(s)
}

func (c *SellerChange) applyRegistrations(s *tax.Seller) *problem.Problem {
	const path = "/seller/registrations"
	if !c.Registrations.Given {
		return nil
	}
	if len(c.Registrations.Value) > maxRegistrations {
		return tooMany(path, maxRegistrations, "entries")
	}
	s.Registrations = nil
	known := make(map[string]bool)
	for i, r := range c.Registrations.Value {
		at := path + "/" + strconv.Itoa(i)
		jurisdiction, exists := ParseJurisdiction(r.Jurisdiction)
		from, ok := civil.ParseDate(r.From)
		switch {
		case !exists:
			return invalid(at+"/jurisdiction", `"EU", a country (e.g., "GB"), a state or a province (e.g., "US-TX")`)
		case !ok:
			return invalid(at+"/from", `a date (e.g., "2026-01-31")`)
		case known[jurisdiction]:
			return invalid(at+"/jurisdiction", "each jurisdiction once")
		}
		known[jurisdiction] = true
		s.Registrations = append(s.Registrations, tax.Registration{Jurisdiction: jurisdiction, From: from})
	}
	return nil
}

// ParseJurisdiction reads where a seller can be registered: "EU" for the one-stop shop, a country ("GB"), a state or a province
// ("US-TX"), or a territory with a tax of its own and a code of the tax table ("IC", the Canary Islands). Case and surrounding
// white space do not matter. It refuses "US", which has no national tax, and a country that is taxed as another,
// as Monaco is as France.
func ParseJurisdiction(typed string) (string, bool) {
	typed = strings.ToUpper(strings.TrimSpace(typed))
	nation, state, divided := strings.Cut(typed, "-")
	code, ok := country.Parse(nation)
	if divided {
		subdivision, known := code.ParseSubdivision(state)
		return typed, ok && known && string(subdivision) == state
	}
	national := ok && code != "US" && table.TerritoryOf(code, "", "").Is(typed)
	return typed, national || typed == "EU" || table.Levies(typed)
}

func (c *SellerChange) applyLegal(s *Store) *problem.Problem {
	a, address := &c.Address, &s.Legal.Address
	if a.Clear {
		*address = Address{}
	}
	for _, f := range []struct {
		patch Patch[string]
		field *string
		path  string
		most  int
		lines bool
	}{
		{c.LegalName, &s.Legal.Name, "/seller/legalName", maxLegalName, false},
		{a.Street, &address.Street, "/seller/address/street", maxAddressLine, true},
		{a.Postcode, &address.Postcode, "/seller/address/postcode", maxPostcode, false},
		{a.City, &address.City, "/seller/address/city", maxAddressLine, false},
		{a.Region, &address.Region, "/seller/address/region", maxAddressLine, false},
		{c.VATID, &s.Legal.VATID, "/seller/vatId", maxVATID, false},
	} {
		if refused := text(f.patch, f.field, f.path, f.most, f.lines); refused != nil {
			return refused
		}
	}
	return checkVATID(s)
}

// checkVATID brings a tax number of a known country into its canonical form. A seller without a VAT number may have another
// number than the one that is checked.
func checkVATID(s *Store) *problem.Problem {
	nation := string(s.Seller.Country)
	number, fault := vatid.Parse(nation, s.Legal.VATID)
	switch {
	case fault == vatid.None:
		s.Legal.VATID = string(number)
	case s.Legal.VATID != "" && vatid.VAT(nation):
		return problem.New(problem.Invalid, "vat-id-invalid", "/seller/vatId", "Invalid seller.vatId for "+nation)
	}
	return nil
}
