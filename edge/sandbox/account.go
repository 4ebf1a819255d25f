package sandbox

// accountKey is where the account's id is stored.
const accountKey = "ac"

// Account is the id of the account, "acct_…". It is made at the first call and stays with the store: a sandbox whose records
// are gone is another account, which knows nothing of what the one before it has promised.
func (s *Sandbox) Account() (string, error) {
	id, err := s.config.Store.Get(accountKey)
	if id != nil || err != nil {
		return string(id), err
	}
	made := s.newID("acct_")
	return made, s.config.Store.Apply([]Write{{accountKey, []byte(made)}})
}
