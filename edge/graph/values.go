package graph

import (
	"encoding/json"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
)

// wireTime is the format of timestamps: ISO 8601 in UTC with milliseconds.
const wireTime = "2006-01-02T15:04:05.000Z"

func timestamp(unixMilli int64) string { return time.UnixMilli(unixMilli).UTC().Format(wireTime) }

// timeOrNull is nil for 0.
func timeOrNull(unixMilli int64) *string {
	if unixMilli == 0 {
		return nil
	}
	return orNull(timestamp(unixMilli))
}

// orNull is nil for the empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// display is an amount in the currency's own decimals.
func display(minor int64, currency money.Currency) string {
	return money.Amount{Minor: minor, Currency: currency}.String()
}

// object is a map as the text of a JSON object.
func object[V any](members map[string]V) (string, error) {
	if len(members) == 0 {
		return "{}", nil
	}
	text, err := json.Marshal(members)
	return string(text), err
}
