package admin

import (
	"context"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/plugins"
)

// MaxRequest is the size of the longest request's body in bytes, one to upload a rule.
const MaxRequest = plugins.MaxModule/3*4 + 4*plugins.MaxConfig

// Rule describes a version of a store's rule.
type Rule struct {
	Version   int               `json:"version"`
	Name      string            `json:"name,omitempty"`
	Digest    string            `json:"digest"` // SHA-256 of the module
	Size      int               `json:"size"`   // of the module in bytes
	OnFailure plugins.OnFailure `json:"onFailure"`
	InPage    bool              `json:"inPage"`
	CreatedAt *time.Time        `json:"createdAt"`
	Test      bool              `json:"test"` // it is published there
	Prod      bool              `json:"prod"`
}

// UploadRuleRequest uploads a version of a store's rule.
type UploadRuleRequest struct {
	StoreID   string            `json:"storeId"`
	Name      string            `json:"name,omitempty"`
	Module    []byte            `json:"module"` // base64
	Config    json.RawMessage   `json:"config,omitempty"`
	OnFailure plugins.OnFailure `json:"onFailure,omitempty"`
	InPage    bool              `json:"inPage,omitempty"`
}

func (a *Admin) uploadRule(ctx context.Context, in UploadRuleRequest) (Rule, error) {
	if _, err := a.liveStore(ctx, in.StoreID); err != nil {
		return Rule{}, err
	}
	v, err := a.config.Rules.Upload(ctx, in.StoreID, plugins.Upload{Name: in.Name, Module: in.Module, Config: in.Config, OnFailure: in.OnFailure, InPage: in.InPage})
	if err != nil {
		return Rule{}, err
	}
	a.config.Log.Info("a rule was uploaded", "store", in.StoreID, "version", v.Number)
	return a.rule(ctx, in.StoreID, v)
}

// PublishRuleRequest publishes a version in an environment; 0 is none.
type PublishRuleRequest struct {
	StoreID     string `json:"storeId"`
	Version     int    `json:"version"`
	Environment string `json:"environment"`
}

// Rules are the versions of a store's rule, the newest first.
type Rules struct {
	Items []Rule `json:"items"`
}

func (a *Admin) publishRule(ctx context.Context, in PublishRuleRequest) (Rules, error) {
	env, ok := checkout.ParseEnvironment(in.Environment)
	if !ok {
		return Rules{}, refusef(problem.Invalid, "there is no environment %q: expected test or prod", in.Environment)
	}
	if _, err := a.liveStore(ctx, in.StoreID); err != nil {
		return Rules{}, err
	}
	var err error
	done := "a rule was published"
	if in.Version == 0 {
		done = "a rule was unpublished"
		err = a.config.Rules.Unpublish(ctx, in.StoreID, env)
	} else {
		_, err = a.config.Rules.Publish(ctx, in.StoreID, in.Version, env)
	}
	if err != nil {
		return Rules{}, err
	}
	a.config.Log.Info(done, "store", in.StoreID, "version", in.Version, "environment", env)
	return a.listRules(ctx, ListRulesRequest{in.StoreID})
}

// RemoveRuleRequest removes a version that is not published.
type RemoveRuleRequest struct {
	StoreID string `json:"storeId"`
	Version int    `json:"version"`
}

func (a *Admin) removeRule(ctx context.Context, in RemoveRuleRequest) (Rules, error) {
	if err := a.config.Rules.Remove(ctx, in.StoreID, in.Version); err != nil {
		return Rules{}, err
	}
	a.config.Log.Info("a rule was removed", "store", in.StoreID, "version", in.Version)
	return a.listRules(ctx, ListRulesRequest{in.StoreID})
}

// ListRulesRequest asks for the versions of a store's rule.
type ListRulesRequest struct {
	StoreID string `json:"storeId"`
}

func (a *Admin) listRules(ctx context.Context, in ListRulesRequest) (Rules, error) {
	if _, err := a.liveStore(ctx, in.StoreID); err != nil {
		return Rules{}, err
	}
	rules, err := a.config.Rules.Store.Rules(ctx, in.StoreID)
	if err != nil {
		return Rules{}, err
	}
	listed := Rules{Items: []Rule{}}
	for i := len(rules.Versions); i > 0; i-- {
		listed.Items = append(listed.Items, showRule(rules, &rules.Versions[i-1]))
	}
	return listed, nil
}

// rule shows a version, and where it is published.
func (a *Admin) rule(ctx context.Context, storeID string, v *plugins.Version) (Rule, error) {
	rules, err := a.config.Rules.Store.Rules(ctx, storeID)
	if err != nil {
		return Rule{}, err
	}
	return showRule(rules, v), nil
}

func showRule(r *plugins.Rules, v *plugins.Version) Rule {
	return Rule{v.Number, v.Name, v.Digest, v.Size, v.OnFailure, v.InPage, moment(v.CreatedAt), r.Test == v.Number, r.Prod == v.Number}
}
