package sessions

import "github.com/crepe-checkout/crepe/core/email"

// IsOf reports whether a session has a buyer's normalised e-mail address, or something on it mentions the buyer.
func (s *Session) IsOf(address string, mentions func(string) bool) bool {
	if email.Normalize(s.BuyerEmail) == address || mentions(s.SuccessURL) || mentions(s.ExternalID) {
		return true
	}
	for name, value := range s.Metadata {
		if mentions(name) || mentions(value) {
			return true
		}
	}
	return false
}

// Erase removes the buyer's data from a session, and ends it. With all it also removes what the merchant has set on it about the order,
// otherwise only what of that mentions the buyer. It reports whether there was anything to remove.
func (s *Session) Erase(all bool, mentions func(string) bool, now int64) (erased bool) {
	erased = s.Billing != nil || s.BuyerEmail != "" || s.Address != (Address{})
	s.Billing, s.BuyerEmail, s.Address = nil, "", Address{}
	for _, text := range []*string{&s.SuccessURL, &s.ExternalID} {
		if *text != "" && (all || mentions(*text)) {
			*text, erased = "", true
		}
	}
	kept := make(map[string]string, len(s.Metadata))
	for name, value := range s.Metadata {
		if !all && !mentions(name) && !mentions(value) {
			kept[name] = value
		}
	}
	if len(kept) < len(s.Metadata) {
		s.Metadata, erased = kept, true
	}
	s.ExpiresAt = min(s.ExpiresAt, now)
	return erased
}
