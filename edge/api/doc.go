// Package api is the door for programs: HTTP and JSON in, calls of the services, HTTP and JSON out.
//
// [API.Handle] routes. Every action goes through one generic function, [serve]: credential, then body, then the call,
// then the answer. Refusals are the core's problems; [statuses] is the one table that gives them an HTTP status, and
// anything else is a 500 whose reason stands in the log only.
//
// What buyers call may be called by pages of other origins too, as far as a store lists them ([API.Handle] follows the CORS
// protocol), and /v1/client.js is the script that they call it with.
package api
