// Package api is the entry point for programs: it decodes HTTP and JSON, calls the services and encodes their answers. README.md lists
// the endpoints and errors, openapi.yaml describes them for tools.
//
// [API.Handle] routes. Every action goes through one generic function, [serve]: credential, then body, then the call,
// then the answer. Refusals are the core's problems; [statuses] gives each kind an HTTP status. Any other error is a
// 500, whose reason is logged and not sent.
//
// Pages of other origins may call the paths for buyers if a store lists the origin; [API.Handle] follows the CORS protocol.
// /v1/client.js is the client script for such pages.
package api
