package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
)

// The longest texts of a store, in characters, and the most entries of its lists.
const (
	maxNewName = 48 // as published
	maxRenamed = 100
	maxEmail   = 254
	maxOrigins = 50
	maxFrames  = 20 // they are a header of every page
)

// StoreChange is a change of a store. The zero value changes nothing.
type StoreChange struct {
	Name         Patch[string]
	Status       Patch[string]
	Logo         Patch[string]
	SupportEmail Patch[string]
	Website      Patch[string]
	Checkout     CheckoutChange
	Notify       NotifyChange

	// What the published API does not have.
	Seller   SellerChange
	Links    LinksChange
	Origins  Patch[[]string]
	Frames   Patch[[]string]
	Consents Patch[[]ConsentInput]
}

// CheckoutChange is a change of a store's [CheckoutSettings]. Clear resets what the published API has before the rest applies.
type CheckoutChange struct {
	Clear       bool
	DarkMode    Patch[*bool]
	Light, Dark ThemeChange
}

// ThemeChange is a change of a [Theme]. Clear resets it before the rest applies.
type ThemeChange struct {
	Clear        bool
	Logo         Patch[string]
	Primary      Patch[string]
	Background   Patch[string]
	Card         Patch[string]
	Text         Patch[string]
	BorderRadius Patch[string]
}

// LinksChange is a change of those [Links] of a store that only its page shows.
type LinksChange struct{ Terms, Refunds, Privacy Patch[string] }

// NotifyChange is a change of a store's notification settings by their API names. Clear switches all of them on before Set applies.
type NotifyChange struct {
	Clear bool
	Set   map[string]Patch[bool] // cleared is on
}

// Apply returns a copy of the store with the change, or the first refusal. The store is unchanged.
func (c *StoreChange) Apply(s *Store, now int64) (*Store, *problem.Problem) {
	changed := *s
	for _, apply := range []func(*Store) *problem.Problem{c.applyBasics, c.Checkout.apply, c.Notify.apply, c.Seller.apply, c.applyLinks, c.applyPages, c.applyConsents} {
		if refused := apply(&changed); refused != nil {
			return nil, refused
		}
	}
	changed.UpdatedAt = now
	return &changed, nil
}

func (c *StoreChange) applyBasics(s *Store) *problem.Problem {
	if c.Name.Given {
		if refused := name(c.Name, &s.Name, maxRenamed); refused != nil {
			return refused
		}
	}
	if c.Status.Given {
		s.Status = Status(c.Status.Value)
		if s.Status != Active && s.Status != Inactive && s.Status != Suspended {
			return invalid("/status", "one of [active, inactive, suspended]")
		}
	}
	if refused := logo(c.Logo, &s.Logo, "/logo"); refused != nil {
		return refused
	}
	if c.SupportEmail.Given {
		s.Links.SupportEmail = email.Normalize(c.SupportEmail.Value)
		if s.Links.SupportEmail != "" && !email.Valid(s.Links.SupportEmail) {
			return invalid("/supportEmail", "")
		}
	}
	return link(c.Website, &s.Links.Website, "/website")
}

func (c *StoreChange) applyLinks(s *Store) *problem.Problem {
	for _, l := range []struct {
		patch Patch[string]
		field *string
		path  string
	}{{c.Links.Terms, &s.Links.Terms, "/links/terms"}, {c.Links.Refunds, &s.Links.Refunds, "/links/refunds"},
		{c.Links.Privacy, &s.Links.Privacy, "/links/privacy"}} {
		if refused := link(l.patch, l.field, l.path); refused != nil {
			return refused
		}
	}
	return nil
}

// applyPages changes what pages of other origins may do.
func (c *StoreChange) applyPages(s *Store) *problem.Problem {
	if refused := origins(c.Origins, &s.Origins, "/origins", maxOrigins); refused != nil {
		return refused
	}
	return origins(c.Frames, &s.Frames, "/frameOrigins", maxFrames)
}

// origins applies a patch to a list of origins, which is kept sorted and without repetitions.
func origins(p Patch[[]string], field *[]string, path string, most int) *problem.Problem {
	if !p.Given {
		return nil
	}
	if len(p.Value) > most {
		return tooMany(path, most, "entries")
	}
	for i, origin := range p.Value {
		if !ValidOrigin(origin) {
			return invalid(path+"/"+strconv.Itoa(i), `an origin (e.g., "https://shop.example.com")`)
		}
	}
	*field = slices.Compact(slices.Sorted(slices.Values(p.Value)))
	return nil
}

// link applies a patch to a link that buyers follow.
func link(p Patch[string], field *string, path string) *problem.Problem {
	if p.Given && p.Value != "" && !checkout.ValidReturnURL(p.Value, checkout.Prod) {
		return invalid(path, "an https URL")
	}
	p.to(field)
	return nil
}

// logo applies a patch to an image that browsers load.
func logo(p Patch[string], field *string, path string) *problem.Problem {
	if p.Given && p.Value != "" && !isImage(p.Value) {
		return invalid(path, "an https URL")
	}
	p.to(field)
	return nil
}

// isImage takes an https URL whose origin can stand in a Content-Security-Policy.
func isImage(address string) bool {
	if !checkout.ValidReturnURL(address, checkout.Prod) {
		return false
	}
	authority, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(address), "https://"), "/")
	return ValidOrigin("https://" + strings.TrimSuffix(authority, ":443"))
}

func (c *CheckoutChange) apply(s *Store) *problem.Problem {
	if c.Clear {
		s.Checkout.DarkMode, s.Checkout.Light, s.Checkout.Dark = nil, Theme{}, Theme{}
	}
	c.DarkMode.to(&s.Checkout.DarkMode)
	if refused := c.Light.apply(&s.Checkout.Light, "/checkoutSettings/light/"); refused != nil {
		return refused
	}
	return c.Dark.apply(&s.Checkout.Dark, "/checkoutSettings/dark/")
}

func (c *ThemeChange) apply(t *Theme, path string) *problem.Problem {
	if c.Clear {
		*t = Theme{}
	}
	if refused := logo(c.Logo, &t.Logo, path+"checkoutLogo"); refused != nil {
		return refused
	}
	for _, f := range []struct {
		patch Patch[string]
		field *string
		name  string
	}{{c.Primary, &t.Primary, "Primary"}, {c.Background, &t.Background, "Background"}, {c.Card, &t.Card, "Card"}, {c.Text, &t.Text, "Text"}} {
		if f.patch.to(f.field); f.patch.Given && !isColour(*f.field) {
			return invalid(path+"checkoutColor"+f.name, `a colour (e.g., "#0f5c4a")`)
		}
	}
	if c.BorderRadius.to(&t.BorderRadius); c.BorderRadius.Given && !isRadius(t.BorderRadius) {
		return invalid(path+"checkoutBorderRadius", `a length in pixels (e.g., "8px")`)
	}
	return nil
}

// isRadius takes "8px", "8", "0.5px" and nothing.
func isRadius(s string) bool {
	digits := strings.TrimSuffix(s, "px")
	if s == "" {
		return true
	}
	_, err := strconv.ParseFloat(digits, 64)
	return err == nil && len(digits) <= 6 && strings.Trim(digits, "0123456789.") == ""
}

// NotificationSettings are the names of a store's notification settings in the published API, each with whether a merchant may change
// it. A store's settings are on unless the merchant has switched them off.
var NotificationSettings = map[string]bool{
	"emailOrderConfirmation": false, "emailSubscriptionConfirmation": false, "emailSubscriptionCycled": false,
	"emailSubscriptionCanceled": false, "emailSubscriptionRevoked": false, "emailSubscriptionPastDue": false, "emailTrialStarted": false,
	"emailTrialEnding": true, "emailUpcomingCharge": true, "emailSubscriptionPlanChanged": false, "emailRefundSucceeded": false,
	"notifyNewOrders": true, "notifyNewSubscriptions": true, "notifySubscriptionCanceled": true, "notifySubscriptionEnded": true,
	"notifySubscriptionPastDue": true, "notifySubscriptionRenewed": true, "notifySubscriptionUncanceled": true,
	"notifySubscriptionPlanChanged": true, "notifyChargeback": true, "notifyRefundSucceeded": true,
}

// Dropped returns the names of settings that a change names and that a merchant may not change, sorted.
func (c *NotifyChange) Dropped() (names []string) {
	for _, setting := range slices.Sorted(maps.Keys(c.Set)) {
		if writable, known := NotificationSettings[setting]; known && !writable {
			names = append(names, setting)
		}
	}
	return names
}

func (c *NotifyChange) apply(s *Store) *problem.Problem {
	muted := make(map[string]bool)
	if !c.Clear {
		for _, setting := range s.Muted {
			muted[setting] = true
		}
	}
	for setting, p := range c.Set {
		if NotificationSettings[setting] {
			delete(muted, setting)
			if p.Given && !p.Value {
				muted[setting] = true
			}
		}
	}
	s.Muted = slices.Sorted(maps.Keys(muted))
	return nil
}
