package sandbox

// accountKey is the key of the account's id.
const accountKey = "ac"

// Account returns the id of the account, "acct_…". The first call creates it in the store: a sandbox on an empty store is another
// account.
func (s *Sandbox) Account() (string, error) {
	id, err := s.config.Store.Get(accountKey)
	if id != nil || err != nil {
		return string(id), err
	}
	made := s.newID("acct_")
	return made, s.config.Store.Apply([]Write{{accountKey, []byte(made)}})
}
