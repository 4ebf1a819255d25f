package dashboard

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// productsPage shows a store and its products.
type productsPage struct {
	rows[productRow]
	Stores []option
	Store  *storeFacts // nil if there is none
}

// storeFacts describes a store and its seller.
type storeFacts struct {
	Name   string
	Status status
	Facts  []fact
}

type productRow struct {
	ID, Path  string
	Name      string
	Prices    string
	Status    status
	UpdatedAt int64
}

func (h *Handler) products(v *visit) (page, error) {
	p := &productsPage{Stores: v.stores.oneOf()}
	result := page{template: "products", title: "Products", data: p}
	store := v.stores.choose()
	if store == nil {
		return result, nil
	}
	p.Store = &storeFacts{store.Name, storeStatus(store), factsOfStore(store)}
	number, err := strconv.Atoi(v.query("page"))
	if err != nil || number < 0 || number > maxPage {
		number = 0
	}
	listed, err := h.config.Catalog.Products(v.ctx, store.ID, number*pageSize, pageSize+1)
	for _, product := range listed[:min(len(listed), pageSize)] {
		p.Items = append(p.Items, productOf(v, product))
	}
	if number > 0 {
		p.First = v.path("products", "")
	}
	if len(listed) > pageSize {
		p.Next = v.path("products", "", "page", strconv.Itoa(number+1))
	}
	return result, err
}

// maxPage is the highest number of a page: a page costs what it skips.
const maxPage = 400

func storeStatus(s *catalog.Store) status {
	switch {
	case s.DeletedAt != 0:
		return status{"Deleted", "warn"}
	case !s.Status.Active():
		return status{sentence(string(s.Status)), "warn"}
	}
	return status{"Active", "ok"}
}

func factsOfStore(s *catalog.Store) []fact {
	var registrations []string
	for _, r := range s.Seller.Registrations {
		registrations = append(registrations, r.Jurisdiction+" since "+r.From.String())
	}
	collects := "In the country of establishment"
	if s.Seller.Everywhere {
		collects = "Wherever a rate is known"
	} else if len(registrations) > 0 {
		collects += ", " + strings.Join(registrations, ", ")
	}
	a := s.Legal.Address
	return facts(
		fact{"Store id", s.ID, true, ""}, fact{"Slug", s.Slug, true, ""}, fact{"Merchant", s.MerchantID, true, ""},
		fact{"Established in", string(s.Seller.Country), false, ""}, fact{"Collects tax", collects, false, ""},
		fact{"Legal name", s.Legal.Name, false, ""}, fact{"Address", joined(a.Street, strings.TrimSpace(a.Postcode+" "+a.City), a.Region), false, ""},
		fact{"VAT number", s.Legal.VATID, false, ""}, fact{"Support", s.Links.SupportEmail, false, ""},
		fact{"Origins", strings.Join(s.Origins, ", "), false, ""}, fact{"Frames", strings.Join(s.Frames, ", "), false, ""},
		fact{"Asks consent", consentsOf(s), false, ""},
	)
}

// consentsOf names the countries of each consent that the store asks for, with its text.
func consentsOf(s *catalog.Store) string {
	var list []string
	for _, t := range s.Consents {
		list = append(list, cmp.Or(strings.Join(t.Countries, ", "), "Everywhere")+": "+t.Text)
	}
	return strings.Join(list, " · ")
}

// joined joins the texts that are not empty.
func joined(texts ...string) string {
	var known []string
	for _, text := range texts {
		if text != "" {
			known = append(known, text)
		}
	}
	return strings.Join(known, ", ")
}

func productOf(v *visit, p *catalog.Product) productRow {
	shown := latestVersion(p, v.env)
	return productRow{ID: p.ID, Path: v.path("products", p.ID), Name: shown.Name, Prices: prices(shown), Status: productStatus(p, v.env), UpdatedAt: p.UpdatedAt}
}

// latestVersion is the version in an environment, or the one of the other environment. A product has at least one of them.
func latestVersion(p *catalog.Product, env checkout.Environment) *catalog.Version {
	for _, listing := range []*catalog.Listing{p.In(env), &p.Test, &p.Prod} {
		if listing.Version != nil {
			return listing.Version
		}
	}
	return new(catalog.Version)
}

func productStatus(p *catalog.Product, env checkout.Environment) status {
	switch listing := p.In(env); {
	case listing.Version == nil:
		return status{"Not published", ""}
	case listing.Inactive:
		return status{"Inactive", "warn"}
	}
	return status{"On sale", "ok"}
}

func prices(v *catalog.Version) string {
	var list []string
	for _, p := range v.Prices {
		list = append(list, amount(p.Amount))
	}
	return strings.Join(list, " · ")
}

// productPage shows a product in one environment.
type productPage struct {
	Name, Description string
	Status            status
	Facts             []fact
	Prices            []fact
	Versions          []versionRow
}

type versionRow struct {
	Number    int
	ID        string
	Name      string
	Prices    string
	CreatedAt int64
}

var types = map[checkout.ProductType]string{checkout.OneTime: "One-time", checkout.Subscription: "Subscription"}

// maxVersions is how many versions a product's page lists, the newest ones.
const maxVersions = 20

func (h *Handler) product(v *visit) (page, error) {
	product, err := h.config.Catalog.Product(v.ctx, v.id)
	if errors.Is(err, catalog.ErrNotFound) {
		return page{}, errNotFound
	}
	if err != nil {
		return page{}, err
	}
	store, err := h.config.Catalog.Store(v.ctx, product.StoreID)
	if err != nil {
		return page{}, err
	}
	versions, err := h.config.Catalog.Versions(v.ctx, product.ID, 0, maxVersions)
	if err != nil {
		return page{}, err
	}
	shown := latestVersion(product, v.env)
	p := &productPage{Name: shown.Name, Description: shown.Description, Status: productStatus(product, v.env)}
	p.Facts = facts(
		fact{"Product", product.ID, true, ""}, fact{"Version", shown.ID, true, ""}, fact{"Store", store.Name, false, ""},
		fact{"Type", types[product.Type], false, ""}, fact{"Success URL", shown.SuccessURL, false, ""}, h.permanentLink(v, store, product),
	)
	for _, price := range shown.Prices {
		text := sentence(price.Category.String())
		if price.TaxIncluded {
			text += ", tax included"
		}
		p.Prices = append(p.Prices, fact{Name: amount(price.Amount), Text: text})
	}
	for _, one := range versions {
		p.Versions = append(p.Versions, versionRow{one.Number, one.ID, one.Name, prices(one), one.CreatedAt})
	}
	return page{template: "product", title: shown.Name, data: p}, nil
}

// permanentLink is the link that opens a checkout, where the product can be bought.
func (h *Handler) permanentLink(v *visit, s *catalog.Store, p *catalog.Product) fact {
	if p.OnSale(v.env) == nil || p.Type != checkout.OneTime {
		return fact{}
	}
	link := h.config.PublicURL + "/store/" + s.Slug + "/product/" + p.ID
	if v.env == checkout.Test {
		link += "?test=true"
	}
	return fact{"Permanent link", link, true, link}
}
