package catalog

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
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
		jurisdiction := strings.ToUpper(strings.TrimSpace(r.Jurisdiction))
		from, ok := civil.ParseDate(r.From)
		switch {
		case !isJurisdiction(jurisdiction):
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

func isJurisdiction(s string) bool {
	if s == "EU" {
		return true
	}
	nation, state, divided := strings.Cut(s, "-")
	code, ok := country.Parse(nation)
	if !ok || !divided {
		return ok
	}
	_, ok = code.ParseSubdivision(state)
	return ok
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

// checkVATID brings a VAT number of a known country into its canonical form.
func checkVATID(s *Store) *problem.Problem {
	nation := string(s.Seller.Country)
	if s.Legal.VATID == "" || !vatid.Supported(nation) {
		return nil
	}
	number, fault := vatid.Parse(nation, s.Legal.VATID)
	if fault != vatid.None {
		return problem.New(problem.Invalid, "vat-id-invalid", "/seller/vatId", "Invalid seller.vatId for "+nation)
	}
	s.Legal.VATID = string(number)
	return nil
}
