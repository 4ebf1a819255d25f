package api

import (
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/notify"
)

// channelHTTP is the one channel that is there. Of the others, which are published too, an answer says that they are not.
const channelHTTP = "http"

var otherChannels = []string{"feishu", "discord", "telegram", "slack"}

var (
	missingChannel = problem.New(problem.Invalid, "channel-required", "/channel", "Missing required field: channel")
	badChannel     = problem.New(problem.Invalid, "channel-invalid", "/channel", "Invalid channel: expected one of [http, feishu, discord, telegram, slack]")
	noChannel      = &transportError{fasthttp.StatusNotImplemented, "channel-not-implemented", "Not implemented: only webhooks of the channel http are"}
)

type addWebhookRequest struct {
	StoreID  string   `json:"storeId"`
	Channel  string   `json:"channel"`
	URL      string   `json:"url"`
	Events   []string `json:"events"`
	TestMode *bool    `json:"testMode"`
	Secret   string   `json:"secret"`
}

type updateWebhookRequest struct {
	ID     string             `json:"id"`
	URL    string             `json:"url"`
	Events optional[[]string] `json:"events"`
	Secret optional[string]   `json:"secret"` // null clears it
}

func (*updateWebhookRequest) nested() {}

type removeWebhookRequest struct {
	ID string `json:"id"`
}

type webhookResponse struct {
	Webhook webhook `json:"webhook"`
}

type webhook struct {
	ID        string   `json:"id"`
	StoreID   string   `json:"storeId"`
	Channel   string   `json:"channel"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	TestMode  bool     `json:"testMode"`
	Secret    *string  `json:"secret"`
	CreatedAt string   `json:"createdAt"`
	UpdatedAt string   `json:"updatedAt"`
}

// owner is the merchant that calls, in the environment of the key.
func (c *call) owner() notify.Owner {
	return notify.Owner{Environment: c.caller.Environment, MerchantID: c.caller.MerchantID}
}

func (a *API) addWebhook(c *call, r *addWebhookRequest) (*webhookResponse, error) {
	switch {
	case r.Channel == "":
		return nil, missingChannel
	case slices.Contains(otherChannels, r.Channel):
		return nil, noChannel
	case r.Channel != channelHTTP:
		return nil, badChannel
	}
	return showWebhook(a.config.Notify.AddEndpoint(c.ctx, c.owner(), notify.NewEndpoint{StoreID: r.StoreID, URL: r.URL, Events: r.Events,
		TestMode: r.TestMode, Secret: r.Secret}))
}

func (a *API) updateWebhook(c *call, r *updateWebhookRequest) (*webhookResponse, error) {
	return showWebhook(a.config.Notify.UpdateEndpoint(c.ctx, c.owner(), notify.EndpointUpdate{ID: r.ID, URL: r.URL, Events: r.Events.Value, Secret: r.Secret.patch()}))
}

func (a *API) removeWebhook(c *call, r *removeWebhookRequest) (*webhookResponse, error) {
	return showWebhook(a.config.Notify.RemoveEndpoint(c.ctx, c.owner(), r.ID))
}

func showWebhook(e *notify.Endpoint, err error) (*webhookResponse, error) {
	if err != nil {
		return nil, err
	}
	w := webhook{ID: e.ID, StoreID: e.StoreID, Channel: channelHTTP, URL: e.URL, Events: e.Events, TestMode: e.Environment == checkout.Test,
		CreatedAt: timestamp(e.CreatedAt), UpdatedAt: timestamp(e.UpdatedAt)}
	if e.Secret != "" {
		w.Secret = &e.Secret
	}
	return &webhookResponse{w}, nil
}
