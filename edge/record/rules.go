package record

import "github.com/crepe-checkout/crepe/edge/plugins"

const (
	rulesVersion       = 1
	ruleContentVersion = 1
)

// rules are the versions of a store's rule, and which of them are published.
type rules struct {
	header
	StoreID  string        `json:"storeId"`
	Revision uint64        `json:"revision"`
	Last     int           `json:"last"`
	Versions []ruleVersion `json:"versions,omitempty"`
	Test     int           `json:"test,omitempty"`
	Prod     int           `json:"prod,omitempty"`
}

type ruleVersion struct {
	Number    int               `json:"number"`
	Name      string            `json:"name,omitempty"`
	Digest    string            `json:"digest"`
	Size      int               `json:"size"`
	ConfigSum string            `json:"configSum"`
	OnFailure plugins.OnFailure `json:"onFailure"`
	InPage    bool              `json:"inPage,omitempty"`
	CreatedAt int64             `json:"createdAt"`
	TestedAt  int64             `json:"testedAt,omitempty"`
}

func encodeRules(r *plugins.Rules) ([]byte, error) {
	return encode(&rules{header{rulesVersion}, r.StoreID, r.Revision, r.Last,
		mapped(r.Versions, func(v plugins.Version) ruleVersion { return ruleVersion(v) }), r.Test, r.Prod})
}

func decodeRules(text []byte) (*plugins.Rules, error) {
	var r rules
	if err := decode(text, &r, rulesVersion); err != nil {
		return nil, err
	}
	return &plugins.Rules{StoreID: r.StoreID, Revision: r.Revision, Last: r.Last,
		Versions: mapped(r.Versions, func(v ruleVersion) plugins.Version { return plugins.Version(v) }), Test: r.Test, Prod: r.Prod}, nil
}

// ruleContent is what a version of a rule runs.
type ruleContent struct {
	header
	StoreID string  `json:"storeId"`
	Number  int     `json:"number"`
	Module  []byte  `json:"module"` // base64
	Config  rawJSON `json:"config,omitempty"`
}

func encodeRuleContent(c *plugins.Content) ([]byte, error) {
	return encode(&ruleContent{header{ruleContentVersion}, c.StoreID, c.Number, c.Module, rawJSON(c.Config)})
}

func decodeRuleContent(text []byte) (*plugins.Content, error) {
	var r ruleContent
	if err := decode(text, &r, ruleContentVersion); err != nil {
		return nil, err
	}
	return &plugins.Content{StoreID: r.StoreID, Number: r.Number, Module: r.Module, Config: []byte(r.Config)}, nil
}
