package admin

import "context"

// StatusRequest asks for the status of a server.
type StatusRequest struct {
	Nonce string `json:"nonce"` // a random text
}

// Status is what a server is. Every field is zero where none runs.
type Status struct {
	PublicURL string `json:"publicUrl"`
	OpenFiles uint64 `json:"openFiles"` // how many files it may have open
	Proof     string `json:"proof"`     // what /healthz of the same deployment answers to the nonce, see [api.Config]
}

func (a *Admin) status(_ context.Context, in StatusRequest) (Status, error) {
	if a.config.PublicURL == "" {
		return Status{}, nil
	}
	return Status{PublicURL: a.config.PublicURL, OpenFiles: a.config.OpenFiles, Proof: a.config.Prove(in.Nonce)}, nil
}
